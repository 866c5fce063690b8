"""Bindings made in conversations, in SQL.

Promises that a binding and where its maker's next message goes are one transaction. Knows no other bindings.
"""

import sqlite3
from datetime import datetime

from picklebot.core.ids import new_id
from picklebot.core.source import Source
from picklebot.store import audit
from picklebot.store.base import MadeBinding
from picklebot.store.codec import to_micros
from picklebot.store.database import Database

_LAST_WITH = "SELECT id FROM sessions WHERE source = ? AND agent_id = ? ORDER BY updated_at DESC LIMIT 1"
_CURRENT_AGENT = "SELECT agent_id FROM affinity JOIN sessions ON sessions.id = session_id WHERE affinity.source = ?"


class SqliteBindings:
    """The table of bindings."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def all(self) -> list[MadeBinding]:
        """Return them, oldest first."""
        rows = await self._database.fetch("SELECT pattern, literal, agent_id FROM bindings ORDER BY made_at, pattern")
        return [MadeBinding(pattern=row[0], literal=bool(row[1]), agent_id=row[2]) for row in rows]

    async def bind(self, binding: MadeBinding, *, here: Source, answers: str, at: datetime) -> None:
        """Make a binding, or remake it, and let `here`'s next message go to a session with the agent `answers`."""

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute(
                "INSERT OR REPLACE INTO bindings (pattern, literal, agent_id, made_at) VALUES (?, ?, ?, ?)",
                (binding.pattern, binding.literal, binding.agent_id, to_micros(at)),
            )
            body = {"by": str(here), "about": binding.pattern, "agent": binding.agent_id}
            audit.append(connection, "route", body, to_micros(at))
            _seat(connection, here, answers, at)

        await self._database.write(unit)

    async def unbind(self, binding: MadeBinding, *, here: Source, answers: str, at: datetime) -> None:
        """Remove a binding, and let `here`'s next message go to a session with the agent `answers`."""

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute(
                "DELETE FROM bindings WHERE pattern = ? AND literal = ?", (binding.pattern, binding.literal)
            )
            audit.append(connection, "route", {"by": str(here), "about": binding.pattern, "agent": None}, to_micros(at))
            _seat(connection, here, answers, at)

        await self._database.write(unit)


def _seat(connection: sqlite3.Connection, source: Source, agent_id: str, at: datetime) -> None:
    """Make the last session of a source with an agent its current one, and a fresh one if there is none.

    Not left to the next message: the answer to this very command would open one with the agent of before.
    """
    row = connection.execute(_CURRENT_AGENT, (str(source),)).fetchone()
    if row is not None and row[0] == agent_id:
        return
    last = connection.execute(_LAST_WITH, (str(source), agent_id)).fetchone()
    session_id, moment = last[0] if last else new_id(), to_micros(at)
    if last is None:
        connection.execute(
            "INSERT INTO sessions (id, agent_id, source, title, created_at, updated_at) VALUES (?, ?, ?, '', ?, ?)",
            (session_id, agent_id, str(source), moment, moment),
        )
    connection.execute("INSERT OR REPLACE INTO affinity (source, session_id) VALUES (?, ?)", (str(source), session_id))
