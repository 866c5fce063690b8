"""What was set aside: messages whose turn never ended, replies that could not be delivered.

Promises that each is kept until somebody says what is to become of it, and that the sum of accepted messages stays in
balance: one that is dropped counts as failed. Knows no worker; whoever has the bus publishes what is to go on.
"""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from picklebot.core.events import Event
from picklebot.errors import NotFound
from picklebot.store.codec import EVENT_COLUMNS, decode_event, to_micros
from picklebot.store.database import Database

Kind: TypeAlias = Literal["message", "reply"]

DROPPED = "dropped by hand"

_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
_DEAD = f"""SELECT 'message', attempts, error, {_EVENTS} FROM inbox JOIN events USING (seq) WHERE state = 'dead'
    UNION ALL
    SELECT 'reply', attempts, error, {_EVENTS} FROM outbox JOIN events USING (seq) WHERE state = 'dead'
    ORDER BY 4"""  # noqa: S608  (constants)


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Something that was set aside, and why."""

    kind: Kind
    seq: int
    event: Event
    attempts: int
    error: str | None

    @property
    def content(self) -> str:
        """What it says."""
        return str(getattr(self.event, "content", ""))


class DeadLetters(Protocol):
    """Says what was set aside, and lets a person decide."""

    async def dead(self) -> list[Letter]:
        """Return everything that is set aside, oldest first."""
        ...

    async def retry(self, event_id: str, *, at: datetime) -> Letter:
        """Let one go on: a message from its recorded steps, a reply with its time to be delivered beginning anew.

        A unique beginning of its id will do.

        Raises:
            NotFound: nothing that is set aside has that id.
        """
        ...

    async def retry_all(self, *, at: datetime) -> list[Letter]:
        """Let everything go on."""
        ...

    async def drop(self, event_id: str, *, at: datetime) -> Letter:
        """Give one up for good. It stays in the log.

        Raises:
            NotFound: nothing that is set aside has that id.
        """
        ...


class SqliteLetters:
    """The dead rows of inbox and outbox."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def dead(self) -> list[Letter]:
        """Return everything that is set aside, oldest first."""
        return [_letter(row) for row in await self._database.fetch(_DEAD)]

    async def retry(self, event_id: str, *, at: datetime) -> Letter:
        """Let one go on."""
        return await self._settle(event_id, lambda connection, letter: _retry(connection, letter, at))

    async def retry_all(self, *, at: datetime) -> list[Letter]:
        """Let everything go on."""

        def unit(connection: sqlite3.Connection) -> list[Letter]:
            letters = [_letter(row) for row in connection.execute(_DEAD)]
            for letter in letters:
                _retry(connection, letter, at)
            return letters

        return await self._database.write(unit)

    async def drop(self, event_id: str, *, at: datetime) -> Letter:
        """Give one up for good."""
        return await self._settle(event_id, lambda connection, letter: _drop(connection, letter, at))

    async def _settle(self, event_id: str, verdict: Callable[[sqlite3.Connection, Letter], None]) -> Letter:
        def unit(connection: sqlite3.Connection) -> Letter:
            letter = _find(connection, event_id)
            verdict(connection, letter)
            return letter

        return await self._database.write(unit)


def _retry(connection: sqlite3.Connection, letter: Letter, at: datetime) -> None:
    if letter.kind == "reply":
        connection.execute(
            "UPDATE outbox SET state = 'pending', attempts = 0, not_before = 0, since = ?, error = NULL, "
            "settled_at = NULL WHERE seq = ?",
            (to_micros(at), letter.seq),
        )
        return
    connection.execute(
        "UPDATE inbox SET state = 'open', attempts = 0, not_before = 0, called_off = 0, error = NULL, failure = NULL WHERE seq = ?",
        (letter.seq,),
    )
    # As a crash would have left it: it goes on from the steps that it has recorded.
    connection.execute("UPDATE turns SET state = 'running', finished_at = NULL WHERE seq = ?", (letter.seq,))


def _drop(connection: sqlite3.Connection, letter: Letter, at: datetime) -> None:
    if letter.kind == "reply":
        connection.execute(
            "UPDATE outbox SET state = 'dropped', settled_at = ? WHERE seq = ?", (to_micros(at), letter.seq)
        )
        return
    error = f"{DROPPED}; {letter.error}" if letter.error else DROPPED
    connection.execute("UPDATE inbox SET state = 'failed', error = ? WHERE seq = ?", (error, letter.seq))
    connection.execute("UPDATE turns SET state = 'failed', finished_at = ? WHERE seq = ?", (to_micros(at), letter.seq))


def _find(connection: sqlite3.Connection, event_id: str) -> Letter:
    found = [letter for letter in map(_letter, connection.execute(_DEAD)) if letter.event.id.startswith(event_id)]
    if len(found) == 1 and event_id:
        return found[0]
    if found:
        raise NotFound(f"several of what is set aside begin with {event_id!r}: give more of the id")
    raise NotFound(f"nothing that is set aside begins with {event_id!r}; `picklebot events dead` shows what there is")


def _letter(row: tuple[Any, ...]) -> Letter:
    kind, attempts, error, *columns = row
    seq, event = decode_event(tuple(columns))
    return Letter(kind=kind, seq=seq, event=event, attempts=attempts, error=error)
