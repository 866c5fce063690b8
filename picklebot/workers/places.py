"""Where the owner is: which sources are theirs, and where they spoke last.

Promises the same answer after a restart. Knows no platform.
"""

from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from picklebot.core.source import Source
from picklebot.workers.people import OWNER_CHANNELS


class Spoken(Protocol):
    """Knows who said the last thing."""

    async def last_source(self, channels: Collection[str], sources: Collection[Source] = ()) -> Source | None:
        """Return the source of the last message from one of `channels` or `sources`."""
        ...

    async def last_session(
        self, channels: Collection[str], agent_id: str, sources: Collection[Source] = ()
    ) -> str | None:
        """Return the session of the last message from one of `channels` or `sources` to an agent."""
        ...

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        ...


def _no_more() -> Sequence[Source]:
    return ()


class Places:
    """The owner's places. `channels` are those that nobody but the owner can use, `sources` those beside them."""

    def __init__(
        self,
        spoken: Spoken,
        *,
        channels: Collection[str] = OWNER_CHANNELS,
        sources: Callable[[], Collection[Source]] = _no_more,
    ) -> None:
        self._spoken = spoken
        self._channels = frozenset(channels)
        self._sources = sources

    def is_owner(self, source: Source) -> bool:
        """Return whether what comes from `source` comes from the owner."""
        return source.channel in self._channels or source in self._sources()

    async def last(self) -> Source | None:
        """Return where the owner spoke last; None if they never did."""
        return await self._spoken.last_source(self._channels, self._sources())

    async def main_session(self, agent_id: str) -> str | None:
        """Return the session in which the owner last spoke to an agent; None if they never did."""
        return await self._spoken.last_session(self._channels, agent_id, self._sources())

    async def busy(self, session_id: str) -> bool:
        """Return whether a session has a message that is not answered."""
        return await self._spoken.busy(session_id)
