"""Where somebody spoke last, in SQL.

Promises that a long log makes an answer no slower: it is looked through once, by the first question, and later ones look
at what came since. Of places that are a source's own, only the newest events and a few steps along an index are looked at.
"""

from collections.abc import Collection

from picklebot.core.source import Source
from picklebot.store.database import Database, Row
from picklebot.store.events import UNFILED

# Who spoke in which channel to which agent since. The signs keep SQLite from going through the index of all channels.
_SPOKEN = "SELECT channel, agent_id, max(seq) FROM inbox WHERE seq > ? GROUP BY +channel, +agent_id"
_SOURCE = "SELECT seq, source FROM events WHERE seq = ?"
_SESSION = "SELECT seq, session_id FROM inbox WHERE seq = ?"
# A place's own sessions are few; the last thing said in each is looked for in what is not filed yet, and then in one
# segment of the log after the other.
_OF_SESSION = "session_id = sessions.id AND events.kind = 'InboundEvent' AND events.source = sessions.source"
_LAST_IN = f"""SELECT ifnull(
    (SELECT max(events.seq) FROM events
        WHERE {UNFILED} AND events.{_OF_SESSION}),
    (SELECT last FROM (
        WITH RECURSIVE segments (n) AS (
            SELECT max(segment) FROM filed UNION ALL SELECT n - 1 FROM segments WHERE n > 0)
        SELECT (SELECT max(events.seq) FROM filed CROSS JOIN events USING (seq)
            WHERE filed.segment = segments.n AND filed.{_OF_SESSION}) AS last FROM segments)
    WHERE last IS NOT NULL LIMIT 1))"""  # noqa: S608  (constants)
_RECENT = "SELECT id, source FROM sessions WHERE source = ?1 {} ORDER BY updated_at DESC LIMIT 3"
_LAST_OF = f"""SELECT ({_LAST_IN}) AS seq, source FROM ({_RECENT.format("")}) AS sessions
    WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1"""  # noqa: S608  (constants)
_SESSION_OF = f"""SELECT ({_LAST_IN}) AS seq, id FROM ({_RECENT.format("AND agent_id = ?2")}) AS sessions
    WHERE seq IS NOT NULL ORDER BY seq DESC LIMIT 1"""  # noqa: S608  (constants)


class SqlitePlaces:
    """Reads only."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._spoken: dict[tuple[str, str], int] = {}  # by channel and agent: the seq of the last message

    async def last_source(self, channels: Collection[str], sources: Collection[Source] = ()) -> Source | None:
        """Return the source of the last message from one of `channels` or `sources`."""
        rows = await self._last(_SOURCE, channels)
        rows += [row for source in sources for row in await self._database.fetch(_LAST_OF, (str(source),))]
        return Source.parse(max(rows)[1]) if rows else None

    async def last_session(
        self, channels: Collection[str], agent_id: str, sources: Collection[Source] = ()
    ) -> str | None:
        """Return the session of the last message from one of `channels` or `sources` to an agent."""
        rows = await self._last(_SESSION, channels, agent_id)
        for source in sources:
            rows += await self._database.fetch(_SESSION_OF, (str(source), agent_id))
        return str(max(rows)[1]) if rows else None

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        rows = await self._database.fetch(
            "SELECT EXISTS (SELECT 1 FROM inbox WHERE session_id = ? AND state = 'open')", (session_id,)
        )
        return bool(rows[0][0])

    async def _last(self, asked: str, channels: Collection[str], agent_id: str | None = None) -> list[Row]:
        """Return what `asked` tells of the last message from one of `channels`, to `agent_id` if given."""
        if not channels:
            return []
        looked = max(self._spoken.values(), default=0)
        for channel, agent, seq in await self._database.fetch(_SPOKEN, (looked,)):
            self._spoken[channel, agent] = max(seq, self._spoken.get((channel, agent), 0))
        seqs = [
            seq for (channel, agent), seq in self._spoken.items() if channel in channels and agent_id in {None, agent}
        ]
        return await self._database.fetch(asked, (max(seqs),)) if seqs else []
