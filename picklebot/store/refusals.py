"""Turns that a day's budget refused, in SQL.

Promises that a lift and the waking of what waits for it are one fact. Knows no ceiling.
"""

import sqlite3
from collections.abc import Mapping, Sequence
from datetime import datetime

from picklebot.core.events import DispatchEvent, InboundEvent, TurnEvent
from picklebot.core.source import Source
from picklebot.store import audit
from picklebot.store.base import Refusal, Turn, Waiting
from picklebot.store.codec import EVENT_COLUMNS, decode_event, from_micros, to_micros
from picklebot.store.database import Database

_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
_ASLEEP = "inbox.state = 'open' AND inbox.waits_for IS NOT NULL AND inbox.not_before > ?"
_WAITING = f"""SELECT waits_for, count(*), min(not_before) FROM inbox WHERE {_ASLEEP}
    GROUP BY waits_for ORDER BY waits_for"""  # noqa: S608  (constants)
_OF_BUDGET = f"""SELECT {_EVENTS} FROM inbox JOIN events USING (seq)
    WHERE {_ASLEEP} AND inbox.waits_for = ? ORDER BY seq"""  # noqa: S608  (constants)
_TOLD = """SELECT 1 FROM inbox JOIN events USING (seq)
    WHERE inbox.waits_for = ? AND inbox.refusal = ? AND (inbox.seq = ? OR (? AND events.source = ?)) LIMIT 1"""


class SqliteRefusals:
    """The part of the inbox that waits for money, and the table of lifts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def waiting(self, now: datetime) -> Sequence[Waiting]:
        """Return the budgets that turns wait for, by key."""
        rows = await self._database.fetch(_WAITING, (to_micros(now),))
        return [Waiting(budget=row[0], turns=row[1], until=from_micros(row[2])) for row in rows]

    async def holds(self, session_id: str, now: datetime) -> bool:
        """Return whether a turn of this session waits for money, and all that came after it behind it."""
        rows = await self._database.fetch(
            f"SELECT 1 FROM inbox WHERE session_id = ? AND {_ASLEEP} LIMIT 1",  # noqa: S608  (constants)
            (session_id, to_micros(now)),
        )
        return bool(rows)

    async def lift(self, budget: str, *, by: Source, at: datetime) -> Sequence[TurnEvent]:
        """Let a budget hold once more today, and wake the turns that wait for it; return what they answer."""
        return await self._database.write(lambda connection: _lift(connection, budget, by, to_micros(at)))

    async def lifts(self, since: datetime) -> Mapping[str, int]:
        """Return how often each budget was lifted."""
        rows = await self._database.fetch(
            "SELECT budget, count(*) FROM lifts WHERE at >= ? GROUP BY budget", (to_micros(since),)
        )
        return dict(rows)


def _lift(connection: sqlite3.Connection, budget: str, by: Source, moment: int) -> list[TurnEvent]:
    woken: list[TurnEvent] = []
    for row in connection.execute(_OF_BUDGET, (moment, budget)).fetchall():
        seq, event = decode_event(row)
        assert isinstance(event, InboundEvent | DispatchEvent)
        connection.execute("UPDATE inbox SET not_before = 0 WHERE seq = ?", (seq,))
        woken.append(event)
    if woken:
        connection.execute("INSERT INTO lifts (budget, source, at) VALUES (?, ?, ?)", (budget, str(by), moment))
        audit.append(connection, "lift", {"by": str(by), "about": budget, "turns": len(woken)}, moment)
    return woken


def told(connection: sqlite3.Connection, turn: Turn, refusal: Refusal) -> bool:
    """Return whether somebody read of this refusal already: the turn's user, or whoever reads of its job."""
    source = turn.event.source
    row = connection.execute(
        _TOLD, (refusal.budget, refusal.tag, turn.seq, refusal.once or source.is_job, str(source))
    ).fetchone()
    return row is not None
