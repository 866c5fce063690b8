"""Conversations, and the log of everything that was said: values and seams. Knows no SQL."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.events import Event
from picklebot.core.marks import Marks
from picklebot.core.messages import Message
from picklebot.core.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One agent's conversation with one source."""

    id: str
    agent_id: str
    source: Source
    title: str
    created_at: datetime
    updated_at: datetime
    turns: int = 0


class Sessions(Protocol):
    """Conversations and who is in which."""

    async def get(self, session_id: str) -> Session:
        """Return a session.

        Raises:
            NotFound: with the nearest id.
        """
        ...

    async def recent(self, *, source: Source | None = None, limit: int = 50) -> list[Session]:
        """Return sessions, last used first."""
        ...

    async def current(self, source: Source) -> Session | None:
        """Return the session that a message from `source` would go to."""
        ...

    async def start(self, source: Source, agent_id: str, *, at: datetime) -> Session:
        """Open a fresh session and make it the source's current one."""
        ...

    async def switch(self, source: Source, session_id: str) -> Session:
        """Make a session the source's current one.

        Raises:
            NotFound: there is no such session.
        """
        ...

    async def transcript(self, session_id: str) -> list[Message]:
        """Return every message of a session, oldest first."""
        ...

    async def marks(self, session_id: str) -> Marks:
        """Return what the turns of a session had read."""
        ...


class Log(Protocol):
    """Durable events in order."""

    async def after(self, seq: int, *, session_id: str | None = None, limit: int = 500) -> list[tuple[int, Event]]:
        """Return events with a greater `seq`, oldest first."""
        ...

    async def last(self) -> int:
        """Return the greatest seq, 0 when the log is empty."""
        ...
