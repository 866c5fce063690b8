"""Where a reply goes: back to who asked, to a named place, to where the owner is, or nowhere.

Knows no platform and no SQL.
"""

from typing import Protocol

from picklebot.core.events import InboundEvent
from picklebot.core.source import Source


class LastPlace(Protocol):
    """Knows where the owner is."""

    async def last(self) -> Source | None:
        """Return where the owner spoke last; None if they never did."""
        ...


class Nowhere:
    """A place for daemons whose owner never speaks."""

    async def last(self) -> Source | None:
        """Return None."""
        return None


async def destination(event: InboundEvent, places: LastPlace) -> Source | None:
    """Return where the reply to `event` goes; None: it stays in the transcript."""
    match event.deliver:
        case None:
            return event.source
        case "none":
            return None
        case "last":
            return await places.last()
        case named:
            return Source.parse(named)
