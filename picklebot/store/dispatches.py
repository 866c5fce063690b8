"""Tasks that one agent gives another, in SQL: rows of the inbox like every message.

Promises one task for one tool call, and that it is open as soon as it is there. Its result is written with the end of
its turn (`turns`). Knows no worker.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from picklebot.core.events import DispatchEvent, DispatchResultEvent, InboundEvent, TurnEvent
from picklebot.core.text import shorten
from picklebot.store.base import Standing
from picklebot.store.codec import EVENT_COLUMNS, decode_event, from_micros, to_micros
from picklebot.store.database import Database, Row
from picklebot.store.events import append

MAX_TITLE = 60
CHANNEL = "agent"  #: of every source that is an agent

_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
_SEEN = f"SELECT {_EVENTS} FROM inbox JOIN events USING (seq) WHERE channel = ? AND key = ?"  # noqa: S608  (constants)
# The latest one counts: a task that was set aside may have been let go on by hand.
_RESULT = f"""SELECT {EVENT_COLUMNS} FROM events WHERE cause_id = ? AND kind = 'DispatchResultEvent'
    ORDER BY seq DESC LIMIT 1"""  # noqa: S608  (constants)
_STATE = "SELECT state, not_before, error FROM inbox JOIN events USING (seq) WHERE events.id = ?"
_EXCUSE = """UPDATE inbox SET attempts = 1
    WHERE seq = (SELECT seq FROM events WHERE id = ?) AND state = 'open' AND attempts > 1"""
_EVENT = f"SELECT {EVENT_COLUMNS} FROM events WHERE id = ?"  # noqa: S608  (constants)
_WAKE = """UPDATE inbox SET not_before = 0
    WHERE seq = (SELECT seq FROM events WHERE id = ?) AND state = 'open' AND not_before > 0"""
_OPEN_BELOW = f"""SELECT {_EVENTS} FROM events JOIN inbox USING (seq)
    WHERE cause_id = ? AND kind = 'DispatchEvent' AND state = 'open' ORDER BY seq"""  # noqa: S608  (constants)
_SPENT = """WITH RECURSIVE below (seq, id) AS (
        SELECT seq, id FROM events WHERE cause_id = ?1 AND kind = 'DispatchEvent'
        UNION SELECT e.seq, e.id FROM events AS e JOIN below ON e.cause_id = below.id WHERE e.kind = 'DispatchEvent')
    SELECT coalesce(sum(cost_usd), 0) FROM steps WHERE turn IN (SELECT seq FROM below)"""


class SqliteDispatches:
    """Tasks between agents."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def seen(self, key: str) -> DispatchEvent | None:
        """Return the task that was given under this key, if there was one."""
        rows = await self._database.fetch(_SEEN, (CHANNEL, key))
        return _dispatch(rows[0]) if rows else None

    async def accept(self, event: DispatchEvent) -> DispatchEvent:
        """Put a task on disk, in a session of its own; the same key again gives the first one back."""
        return await self._database.complete(lambda connection: accept(connection, event))

    async def standing(self, event_id: str, now: datetime) -> Standing:
        """Return how a task stands."""
        if rows := await self._database.fetch(_RESULT, (event_id,)):
            _, result = decode_event(rows[0])
            assert isinstance(result, DispatchResultEvent)
            return Standing(result=result)
        [[_, not_before, why]] = await self._database.fetch(_STATE, (event_id,))
        if not_before <= to_micros(now):
            return Standing()
        return Standing(parked_until=from_micros(not_before), why=why or "")

    async def waits(self, event_id: str) -> bool:
        """Return whether the turn of this event has not ended, so that its calls are still waited for."""
        rows = await self._database.fetch(_STATE, (event_id,))
        return bool(rows) and rows[0][0] == "open"

    async def excuse(self, event_id: str) -> None:
        """Take the attempts of a turn back but for one: it waits, and what crashes from here on is not it."""
        await self._database.complete(lambda connection: connection.execute(_EXCUSE, (event_id,)))

    async def abandon(self, event_id: str) -> Sequence[DispatchEvent]:
        """Return the open tasks given by a turn that has ended, due at once so that they can end too."""

        def unit(connection: sqlite3.Connection) -> Sequence[DispatchEvent]:
            rows = connection.execute(_OPEN_BELOW, (event_id,)).fetchall()
            connection.executemany("UPDATE inbox SET not_before = 0 WHERE seq = ?", [(row[0],) for row in rows])
            return [_dispatch(row) for row in rows]

        return await self._database.complete(unit)

    async def wake(self, event_id: str) -> TurnEvent | None:
        """Let a turn that was put off go on now; return its event if it was."""

        def unit(connection: sqlite3.Connection) -> TurnEvent | None:
            if not connection.execute(_WAKE, (event_id,)).rowcount:
                return None
            _, event = decode_event(connection.execute(_EVENT, (event_id,)).fetchone())
            assert isinstance(event, InboundEvent | DispatchEvent)
            return event

        return await self._database.complete(unit)

    async def spent(self, event_id: str) -> float:
        """Return what the tasks below a turn have cost so far, and the tasks below these, in USD."""
        rows = await self._database.fetch(_SPENT, (event_id,))
        return float(rows[0][0])


def accept(connection: sqlite3.Connection, event: DispatchEvent) -> DispatchEvent:
    """Open the task in its session, unless its key was seen before."""
    if row := connection.execute(_SEEN, (CHANNEL, event.key)).fetchone():
        return _dispatch(row)
    moment = to_micros(event.created_at)
    connection.execute(
        "INSERT INTO sessions (id, agent_id, source, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
        (event.session_id, event.agent_id, str(event.source), shorten(event.content, MAX_TITLE), moment, moment),
    )
    connection.execute(
        "INSERT INTO inbox (seq, channel, key, session_id, agent_id, state) VALUES (?, ?, ?, ?, ?, 'open')",
        (append(connection, event), CHANNEL, event.key, event.session_id, event.agent_id),
    )
    return event


def _dispatch(row: Row) -> DispatchEvent:
    _, event = decode_event(tuple(row))
    assert isinstance(event, DispatchEvent)
    return event
