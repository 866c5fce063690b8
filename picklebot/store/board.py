"""The shared task board, in SQL.

Promises that an entry is claimed by one session at a time, and that a claim ends with the turn that made it: an entry
that nobody finished is open again without anybody having to give it back. Knows no tool.
"""

import sqlite3
from collections.abc import Sequence
from datetime import datetime

from picklebot.core.board import BoardEntry, EntryState, Hand
from picklebot.errors import NotFound, Taken
from picklebot.store.codec import to_micros
from picklebot.store.database import Database, Row

# A claim holds while its turn is open: so a crash keeps it for the turn that will go on, and no clock is needed.
_STANDS = """CASE WHEN board.state = 'claimed' AND NOT EXISTS (SELECT 1 FROM events JOIN inbox USING (seq)
    WHERE events.id = claimed_turn AND inbox.state = 'open') THEN 'open' ELSE board.state END"""
_BOARD = f"""SELECT id, title, details, stands, added_by, CASE stands WHEN 'open' THEN NULL ELSE claimed_by END, result,
    outside, claimed_session FROM (SELECT board.*, {_STANDS} AS stands FROM board)"""  # noqa: S608  (constants)
_CLAIM = """UPDATE board SET state = 'claimed', claimed_by = ?, claimed_session = ?, claimed_turn = ?, claim_key = ?,
    claimed_at = ? WHERE id = ?"""


class SqliteBoard:
    """The board's table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, title: str, details: str, *, by: Hand, at: datetime) -> BoardEntry:
        """Put up an entry."""

        def unit(connection: sqlite3.Connection) -> BoardEntry:
            connection.execute(
                "INSERT INTO board (title, details, state, added_by, added_at, add_key, outside) "
                "VALUES (?, ?, 'open', ?, ?, ?, ?) ON CONFLICT (add_key) DO NOTHING",
                (title, details, by.agent_id, to_micros(at), by.key, by.outside),
            )
            return _entry(connection.execute(f"{_BOARD} WHERE add_key = ?", (by.key,)).fetchone())

        return await self._database.complete(unit)

    async def claim(self, entry_id: int | None, *, by: Hand, at: datetime) -> BoardEntry | None:
        """Take an entry, or with None the oldest open one; None if there is none to take.

        Raises:
            NotFound: no entry has that id.
            Taken: somebody else has it, or it is done.
        """

        def unit(connection: sqlite3.Connection) -> BoardEntry | None:
            if again := connection.execute(f"{_BOARD} WHERE claim_key = ?", (by.key,)).fetchone():
                return _entry(again)
            chosen = _chosen(connection, entry_id, by)
            if chosen is None:
                return None
            connection.execute(_CLAIM, (by.agent_id, by.session_id, by.turn_id, by.key, to_micros(at), chosen))
            return _entry(_row(connection, chosen))

        return await self._database.complete(unit)

    async def finish(self, entry_id: int, result: str, *, by: Hand, at: datetime) -> BoardEntry:
        """Mark an entry as done; only the session that claimed it last may, and the same one again changes nothing.

        Raises:
            NotFound: no entry has that id.
            Taken: it is not this session's.
        """

        def unit(connection: sqlite3.Connection) -> BoardEntry:
            *_, session_id = row = _row(connection, entry_id)
            entry = _entry(row)
            if session_id != by.session_id:
                raise Taken(_not_yours(entry))
            if entry.state != "done":
                connection.execute(
                    "UPDATE board SET state = 'done', result = ?, finished_at = ?, outside = max(outside, ?) WHERE id = ?",
                    (result, to_micros(at), by.outside, entry_id),
                )
            return _entry(_row(connection, entry_id))

        return await self._database.complete(unit)

    async def entries(self, state: EntryState | None = None, *, limit: int) -> Sequence[BoardEntry]:
        """Return the newest entries, oldest first: all of them, or those in one state."""
        where, parameters = ("WHERE stands = ?", [state]) if state else ("", [])
        rows = await self._database.fetch(f"{_BOARD} {where} ORDER BY id DESC LIMIT ?", [*parameters, limit])
        return [_entry(row) for row in reversed(rows)]


def _chosen(connection: sqlite3.Connection, entry_id: int | None, by: Hand) -> int | None:
    if entry_id is None:
        row = connection.execute(f"{_BOARD} WHERE stands = 'open' ORDER BY id LIMIT 1").fetchone()
        return _entry(row).id if row else None
    *_, session_id = row = _row(connection, entry_id)
    entry = _entry(row)
    if entry.state == "done" or (entry.state == "claimed" and session_id != by.session_id):
        raise Taken(_not_yours(entry))
    return entry_id


def _row(connection: sqlite3.Connection, entry_id: int) -> Row:
    row: Row | None = connection.execute(f"{_BOARD} WHERE id = ?", (entry_id,)).fetchone()
    if row is None:
        raise NotFound(f"there is no entry {entry_id} on the board; `list` shows what there is")
    return row


def _not_yours(entry: BoardEntry) -> str:
    match entry.state:
        case "done":
            return f"entry {entry.id} is done already, by {entry.claimed_by}"
        case "claimed":
            return f"entry {entry.id} is claimed by {entry.claimed_by} in another session"
        case "open":
            return f"entry {entry.id} is open: claim it before you finish it"


def _entry(row: Row) -> BoardEntry:
    entry_id, title, details, state, added_by, claimed_by, result, outside, _ = row
    return BoardEntry(
        id=entry_id,
        title=title,
        details=details,
        state=state,
        added_by=added_by,
        claimed_by=claimed_by,
        result=result,
        outside=bool(outside),
    )
