"""The log: durable events in the order in which they were committed.

Its index by session, `filed`, is written a segment at a time, once a segment is full: an index that every event goes
into is one more page of every commit. The view `session_events` reads both, and the events that are not filed yet.
"""

import sqlite3

from picklebot.core.events import Event
from picklebot.errors import NotFound
from picklebot.store.codec import EVENT_COLUMNS, decode_event, encode_event
from picklebot.store.database import Database

_INSERT = "INSERT INTO events (id, kind, session_id, source, cause_id, created_at, body) VALUES (?, ?, ?, ?, ?, ?, ?)"
_SEGMENT = 10  #: bits of a seq that do not tell its segment
UNFILED = f"events.seq >= (SELECT ifnull(max(segment) + 1, 0) << {_SEGMENT} FROM filed)"  # noqa: S608  (constants)
"""What holds of the events that are not filed yet, in SQL."""
_FILE = f"""INSERT INTO filed SELECT seq >> {_SEGMENT}, session_id, seq FROM events
    WHERE {UNFILED} AND seq < ? ORDER BY 1, 2, 3"""  # noqa: S608  (constants)


def append(connection: sqlite3.Connection, event: Event) -> int:
    """Add `event` to the log inside the caller's transaction; return its seq."""
    seq = connection.execute(_INSERT, encode_event(event)).lastrowid
    if seq is None:
        raise sqlite3.InternalError("an insert gave no row id")
    file_segments(connection, seq - 1, seq)
    return seq


def file_segments(connection: sqlite3.Connection, before: int, last: int) -> None:
    """File what stands in full segments, if one became full as the log grew from `before` to `last`."""
    segment = last >> _SEGMENT
    if segment != before >> _SEGMENT:
        connection.execute(_FILE, (segment << _SEGMENT,))


class SqliteLog:
    """Reads the log."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def after(self, seq: int, *, session_id: str | None = None, limit: int = 500) -> list[tuple[int, Event]]:
        """Return events with a greater `seq`, oldest first."""
        log, where = ("session_events", "session_id = ? AND") if session_id else ("events", "")
        parameters = [session_id] if session_id else []
        rows = await self._database.fetch(
            f"SELECT {EVENT_COLUMNS} FROM {log} WHERE {where} seq > ? ORDER BY seq LIMIT ?",  # noqa: S608  (constants)
            [*parameters, seq, limit],
        )
        return [decode_event(row) for row in rows]

    async def last(self) -> int:
        """Return the greatest seq, 0 when the log is empty."""
        rows = await self._database.fetch("SELECT max(seq) FROM events")
        return rows[0][0] or 0

    async def get(self, event_id: str) -> tuple[int, Event]:
        """Return one event with its seq. A unique beginning of its id will do.

        Raises:
            NotFound: no event, or more than one, begins so.
        """
        rows = await self._database.fetch(
            f"SELECT {EVENT_COLUMNS} FROM events WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",  # noqa: S608
            (event_id, event_id + "\x7f"),
        )
        if len(rows) != 1:
            raise NotFound(f"{'several events begin' if rows else 'no event begins'} with {event_id!r}")
        return decode_event(rows[0])
