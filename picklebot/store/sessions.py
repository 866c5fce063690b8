"""Conversations and who is in which, in SQL."""

import difflib
import json
import sqlite3
from datetime import datetime
from typing import Any

from picklebot.core.ids import new_id
from picklebot.core.marks import NO_MARKS, Marks, to_marks
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.store.base import Session
from picklebot.store.codec import from_micros, to_micros
from picklebot.store.database import Database

_COLUMNS = "id, agent_id, sessions.source, title, created_at, updated_at, turns"


class SqliteSessions:
    """The tables of sessions, affinity and transcript."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, session_id: str) -> Session:
        """Return a session; a unique beginning of its id will do.

        Raises:
            NotFound: no session, or more than one, begins so.
        """
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM sessions WHERE id >= ? AND id < ? LIMIT 2",  # noqa: S608
            (session_id, session_id + "\x7f"),
        )
        if len(rows) != 1 or not session_id:
            raise NotFound(await self._explain(session_id, several=len(rows) > 1))
        return _session(rows[0])

    async def recent(self, *, source: Source | None = None, limit: int = 50) -> list[Session]:
        """Return sessions, last used first."""
        where, parameters = ("WHERE source = ?", [str(source)]) if source else ("", [])
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM sessions {where} ORDER BY updated_at DESC LIMIT ?",  # noqa: S608
            [*parameters, limit],
        )
        return [_session(row) for row in rows]

    async def current(self, source: Source) -> Session | None:
        """Return the session that a message from `source` would go to."""
        rows = await self._database.fetch(
            f"SELECT {_COLUMNS} FROM affinity JOIN sessions ON id = session_id WHERE affinity.source = ?",  # noqa: S608
            (str(source),),
        )
        return _session(rows[0]) if rows else None

    async def start(self, source: Source, agent_id: str, *, at: datetime) -> Session:
        """Open a fresh session and make it the source's current one."""
        session = Session(id=new_id(), agent_id=agent_id, source=source, title="", created_at=at, updated_at=at)

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT INTO sessions (id, agent_id, source, title, created_at, updated_at) VALUES (?, ?, ?, ?, ?, ?)",
                (session.id, agent_id, str(source), "", to_micros(at), to_micros(at)),
            )
            _point(connection, source, session.id)

        await self._database.write(unit)
        return session

    async def switch(self, source: Source, session_id: str) -> Session:
        """Make a session the source's current one.

        Raises:
            NotFound: there is no such session.
        """
        session = await self.get(session_id)
        await self._database.write(lambda connection: _point(connection, source, session.id))
        return session

    async def transcript(self, session_id: str) -> list[Message]:
        """Return every message of a session, oldest first."""
        rows = await self._database.fetch(
            "SELECT role, blocks FROM transcript WHERE session_id = ? ORDER BY n", (session_id,)
        )
        return [Message.from_json(role, blocks) for role, blocks in rows]

    async def marks(self, session_id: str) -> Marks:
        """Return what the turns of a session had read."""
        rows = await self._database.fetch("SELECT marks FROM sessions WHERE id = ?", (session_id,))
        return to_marks(json.loads(rows[0][0])) if rows else NO_MARKS

    async def _explain(self, session_id: str, *, several: bool) -> str:
        if several:
            return f"several sessions begin with {session_id!r}: give more of the id"
        known = [
            row[0] for row in await self._database.fetch("SELECT id FROM sessions ORDER BY updated_at DESC LIMIT 500")
        ]
        near = difflib.get_close_matches(session_id, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else "; `picklebot sessions list` shows them"
        return f"there is no session {session_id!r}{hint}"


def _point(connection: sqlite3.Connection, source: Source, session_id: str) -> None:
    connection.execute("INSERT OR REPLACE INTO affinity (source, session_id) VALUES (?, ?)", (str(source), session_id))


def _session(row: tuple[Any, ...]) -> Session:
    session_id, agent_id, source, title, created_at, updated_at, turns = row
    return Session(
        id=session_id,
        agent_id=agent_id,
        source=Source.parse(source),
        title=title,
        created_at=from_micros(created_at),
        updated_at=from_micros(updated_at),
        turns=turns,
    )
