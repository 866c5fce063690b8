"""Where the owner is: which sources are theirs, and where they spoke last.

Promises the same answer after a restart. Knows no platform.
"""

from collections.abc import Collection
from typing import Protocol

from picklebot.core.source import Source

#: What only the owner can speak through: the terminal, and what needs the token of this workspace.
OWNER_CHANNELS = frozenset({"cli", "ws", "http"})


def is_owner(source: Source) -> bool:
    """Return whether what comes from `source` is the owner's word."""
    return source.channel in OWNER_CHANNELS


class Spoken(Protocol):
    """Knows who said the last thing."""

    async def last_source(self, channels: Collection[str]) -> Source | None:
        """Return the source of the last message from one of `channels`."""
        ...

    async def last_session(self, channels: Collection[str], agent_id: str) -> str | None:
        """Return the session of the last message from one of `channels` to an agent."""
        ...

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        ...


class Places:
    """The owner's places. `channels` are those that nobody but the owner can use."""

    def __init__(self, spoken: Spoken, *, channels: Collection[str] = OWNER_CHANNELS) -> None:
        self._spoken = spoken
        self._channels = frozenset(channels)

    def is_owner(self, source: Source) -> bool:
        """Return whether what comes from `source` comes from the owner."""
        return source.channel in self._channels

    async def last(self) -> Source | None:
        """Return where the owner spoke last; None if they never did."""
        return await self._spoken.last_source(self._channels)

    async def main_session(self, agent_id: str) -> str | None:
        """Return the session in which the owner last spoke to an agent; None if they never did."""
        return await self._spoken.last_session(self._channels, agent_id)

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        return await self._spoken.busy(session_id)
