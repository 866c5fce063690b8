"""Messages that are answered in the turn of another one, in SQL.

Promises that a message joins one turn at most, in its order, and only while no turn of its own was begun; and that
what joined is on disk in the same transaction as the words in which the model sees it. Knows no worker.
"""

import json
import sqlite3
from collections.abc import Sequence

from picklebot.core.compaction import compact_order
from picklebot.core.events import InboundEvent, OutboundEvent, TurnEvent
from picklebot.store.base import Joined, Joining, Turn
from picklebot.store.codec import EVENT_COLUMNS, decode_event
from picklebot.store.database import Database

_EVENTS = ", ".join(f"events.{column}" for column in EVENT_COLUMNS.split(", "))
_WAITING = f"""SELECT turns.seq, inbox.called_off, {_EVENTS} FROM inbox JOIN events USING (seq) LEFT JOIN turns USING (seq)
    WHERE inbox.session_id = ? AND inbox.state = 'open' AND inbox.seq != ?
    AND NOT EXISTS (SELECT 1 FROM joined WHERE joined.seq = inbox.seq) ORDER BY inbox.seq"""  # noqa: S608  (constants)
# Those that joined, and those that were interrupted before, each with what had joined it.
_COMPANY = f"""WITH RECURSIVE company (seq, step, context) AS (
        SELECT seq, step, context FROM joined WHERE turn = ?
        UNION SELECT joined.seq, NULL, '' FROM joined JOIN company ON joined.turn = company.seq)
    SELECT step, context, {_EVENTS} FROM company JOIN events USING (seq) ORDER BY seq"""  # noqa: S608  (constants)
_NEXT_OF_SOURCE = """SELECT min(inbox.seq) FROM inbox JOIN events USING (seq)
    WHERE inbox.session_id = ? AND inbox.state = 'open' AND events.source = ? AND inbox.seq > ?
    AND json_extract(body, '$.content') NOT LIKE '/compact%'
    AND NOT EXISTS (SELECT 1 FROM joined WHERE joined.seq = inbox.seq)"""
_UP = """WITH RECURSIVE up (seq) AS (SELECT seq FROM events WHERE id = ?
        UNION ALL SELECT joined.turn FROM joined JOIN up ON joined.seq = up.seq)"""
_TURN_OF = f"{_UP} SELECT id FROM up JOIN events USING (seq) WHERE seq NOT IN (SELECT seq FROM joined)"  # noqa: S608
# The replies of a turn name as their cause its own message, or, for another place, the first one from there.
_REPLIES = f"""{_UP}, company (seq) AS (
        SELECT seq FROM up UNION SELECT joined.seq FROM joined JOIN company ON joined.turn = company.seq)
    SELECT {_EVENTS} FROM events WHERE kind = 'OutboundEvent'
    AND cause_id IN (SELECT id FROM company JOIN events USING (seq)) ORDER BY seq"""  # noqa: S608  (constants)


class SqliteAnswers:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def turn_of(self, event_id: str) -> str:
        """Return the id of the message whose turn answers this one: mostly its own."""
        rows = await self._database.fetch(_TURN_OF, (event_id,))
        return str(rows[0][0]) if rows else event_id

    async def ended(self, event_id: str) -> str | None:
        """Return how an accepted message ended: done, failed or dead; None while it is open, or if there is none."""
        rows = await self._database.fetch(
            "SELECT state FROM inbox JOIN events USING (seq) WHERE events.id = ? AND state != 'open'", (event_id,)
        )
        return str(rows[0][0]) if rows else None

    async def replies_to(self, event_id: str) -> list[OutboundEvent]:
        """Return what was said in answer to a message, also where several were answered together; oldest first."""
        found = [decode_event(row)[1] for row in await self._database.fetch(_REPLIES, (event_id,))]
        return [event for event in found if isinstance(event, OutboundEvent) and event.answers(event_id)]


def company_of(connection: sqlite3.Connection, turn: int) -> list[Joined]:
    """Return what is answered in a turn beside its own message, in the order in which it was accepted."""
    return [_joined(step, context, columns) for step, context, *columns in connection.execute(_COMPANY, (turn,))]


def take_in(
    connection: sqlite3.Connection, event: TurnEvent, joining: Joining, *, turn: int, step: int
) -> list[Joined]:
    """Let what waits join the turn of `event`; return what did."""
    taken: list[Joined] = []
    room = joining.characters
    if event.source.channel in joining.apart or compact_order(event.content) is not None:
        return taken
    for begun, called_off, *columns in connection.execute(_WAITING, (event.session_id, turn)).fetchall():
        seq, other = decode_event(tuple(columns))
        room -= len(str(getattr(other, "content", "")))
        # One that was begun before was set aside and is tried again by hand: it is tried alone.
        apart = begun is not None or called_off or other.source.channel in joining.apart
        if (
            apart
            or not isinstance(other, InboundEvent)
            or compact_order(other.content) is not None
            or room < 0
            or len(taken) == joining.most
        ):
            break
        taken.append(Joined(seq=seq, event=other, step=step, context=joining.context(other, event.source)))
    connection.executemany(
        "INSERT INTO joined (seq, turn, step, context) VALUES (?, ?, ?, ?)",
        [(joined.seq, turn, step, joined.context) for joined in taken],
    )
    return taken


def release(connection: sqlite3.Connection, turn: int, *, from_step: int = 0) -> None:
    """Let what joined a turn from a step on wait again."""
    connection.execute("DELETE FROM joined WHERE turn = ? AND step >= ?", (turn, from_step))


def settle(connection: sqlite3.Connection, turn: int, shown: Sequence[Joined]) -> None:
    """Let what was shown to the model end as its turn did; what was not shown any more waits again."""
    seqs = json.dumps([joined.seq for joined in shown])
    connection.execute(
        "DELETE FROM joined WHERE turn = ? AND step IS NOT NULL AND seq NOT IN (SELECT value FROM json_each(?))",
        (turn, seqs),
    )
    connection.execute(
        "UPDATE inbox SET (state, error, failure) = (SELECT state, error, failure FROM inbox WHERE seq = ?) "
        "WHERE state = 'open' AND seq IN (SELECT value FROM json_each(?))",
        (turn, seqs),
    )


def hand_over(connection: sqlite3.Connection, turn: Turn) -> None:
    """Let an interrupted turn be answered in that of the message which interrupted it."""
    connection.execute(
        "INSERT INTO joined (seq, turn) VALUES (?, ?)", (turn.seq, next_of_source(connection, turn.event, turn.seq))
    )


def next_of_source(connection: sqlite3.Connection, event: TurnEvent, seq: int) -> int | None:
    """Return the seq of the oldest message that came from the source of `event` after it, and waits."""
    found: int | None = connection.execute(_NEXT_OF_SOURCE, (event.session_id, str(event.source), seq)).fetchone()[0]
    return found


async def any_waits(database: Database, turn: Turn) -> bool:
    """Return whether the turn's session has any other message that waits."""
    rows = await database.fetch(f"SELECT EXISTS ({_WAITING})", (turn.event.session_id, turn.seq))
    return bool(rows[0][0])


async def overtaken(database: Database, turn: Turn) -> bool:
    """Return whether a message that came from the turn's own source after it waits."""
    parameters = (turn.event.session_id, str(turn.event.source), turn.seq)
    return (await database.fetch(_NEXT_OF_SOURCE, parameters))[0][0] is not None


def _joined(step: int | None, context: str, columns: Sequence[object]) -> Joined:
    seq, event = decode_event(tuple(columns))
    assert isinstance(event, InboundEvent)
    return Joined(seq=seq, event=event, step=step, context=context)
