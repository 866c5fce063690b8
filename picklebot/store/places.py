"""Where somebody spoke last, in SQL: each answer is a few steps along an index, however long the log is."""

from collections.abc import Collection

from picklebot.core.source import Source
from picklebot.store.database import Database

_LAST = """SELECT inbox.seq, events.source FROM inbox JOIN events USING (seq)
    WHERE inbox.channel = ? ORDER BY inbox.seq DESC LIMIT 1"""
_SESSION = """SELECT inbox.seq, inbox.session_id FROM inbox JOIN sessions ON sessions.id = inbox.session_id
    WHERE inbox.channel = ? AND inbox.agent_id = ? ORDER BY inbox.seq DESC LIMIT 1"""


class SqlitePlaces:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_source(self, channels: Collection[str]) -> Source | None:
        """Return the source of the last message from one of `channels`."""
        rows = [row for channel in channels for row in await self._database.fetch(_LAST, (channel,))]
        return Source.parse(max(rows)[1]) if rows else None

    async def last_session(self, channels: Collection[str], agent_id: str) -> str | None:
        """Return the session of the last message from one of `channels` to an agent."""
        rows = [row for channel in channels for row in await self._database.fetch(_SESSION, (channel, agent_id))]
        return str(max(rows)[1]) if rows else None

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        rows = await self._database.fetch(
            "SELECT EXISTS (SELECT 1 FROM inbox WHERE session_id = ? AND state = 'open')", (session_id,)
        )
        return bool(rows[0][0])
