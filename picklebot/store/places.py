"""Where somebody spoke last, in SQL: each answer is a few steps along an index, however long the log is."""

from collections.abc import Collection

from picklebot.core.source import Source
from picklebot.store.database import Database

_LAST = """SELECT inbox.seq, events.source FROM inbox JOIN events USING (seq)
    WHERE inbox.channel = ? ORDER BY inbox.seq DESC LIMIT 1"""
_SESSION = """SELECT inbox.seq, inbox.session_id FROM inbox JOIN sessions ON sessions.id = inbox.session_id
    WHERE inbox.channel = ? AND inbox.agent_id = ? ORDER BY inbox.seq DESC LIMIT 1"""
# A place's own sessions are few; the last thing said in each is looked for in one segment of the log after the other.
_LAST_IN = """SELECT last FROM (
        WITH RECURSIVE segments (n) AS (
            SELECT max(seq) >> 10 FROM events UNION ALL SELECT n - 1 FROM segments WHERE n > 0)
        SELECT (SELECT max(events.seq) FROM events WHERE events.seq >> 10 = segments.n
            AND events.session_id = sessions.id AND events.kind = 'InboundEvent'
            AND events.source = sessions.source) AS last FROM segments)
    WHERE last IS NOT NULL LIMIT 1"""
_RECENT = "SELECT id, source FROM sessions WHERE source = ?1 {} ORDER BY updated_at DESC LIMIT 3"
_LAST_OF = f"""SELECT ({_LAST_IN}) AS seq, source FROM ({_RECENT.format("")}) AS sessions
    WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1"""  # noqa: S608  (constants)
_SESSION_OF = f"""SELECT ({_LAST_IN}) AS seq, id FROM ({_RECENT.format("AND agent_id = ?2")}) AS sessions
    WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1"""  # noqa: S608  (constants)


class SqlitePlaces:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def last_source(self, channels: Collection[str], sources: Collection[Source] = ()) -> Source | None:
        """Return the source of the last message from one of `channels` or `sources`."""
        rows = [row for channel in channels for row in await self._database.fetch(_LAST, (channel,))]
        rows += [row for source in sources for row in await self._database.fetch(_LAST_OF, (str(source),))]
        return Source.parse(max(rows)[1]) if rows else None

    async def last_session(
        self, channels: Collection[str], agent_id: str, sources: Collection[Source] = ()
    ) -> str | None:
        """Return the session of the last message from one of `channels` or `sources` to an agent."""
        rows = [row for channel in channels for row in await self._database.fetch(_SESSION, (channel, agent_id))]
        for source in sources:
            rows += await self._database.fetch(_SESSION_OF, (str(source), agent_id))
        return str(max(rows)[1]) if rows else None

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        rows = await self._database.fetch(
            "SELECT EXISTS (SELECT 1 FROM inbox WHERE session_id = ? AND state = 'open')", (session_id,)
        )
        return bool(rows[0][0])
