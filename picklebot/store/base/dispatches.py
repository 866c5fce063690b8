"""Tasks that one agent gives another: values and the seam. Knows no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.events import DispatchEvent, DispatchResultEvent, TurnEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How a task stands: with a result, put off until later, or neither."""

    result: DispatchResultEvent | None = None
    parked_until: datetime | None = None
    why: str = ""
    """For what it was put off."""


class Dispatches(Protocol):
    """Tasks from the call that gives them to their result."""

    async def seen(self, key: str) -> DispatchEvent | None:
        """Return the task that was given under this key, if there was one."""
        ...

    async def accept(self, event: DispatchEvent) -> DispatchEvent:
        """Put a task on disk, in a session of its own; the same key again gives the first one back."""
        ...

    async def standing(self, event_id: str, now: datetime) -> Standing:
        """Return how a task stands."""
        ...

    async def waits(self, event_id: str) -> bool:
        """Return whether the turn of this event has not ended, so that its calls are still waited for."""
        ...

    async def excuse(self, event_id: str) -> None:
        """Take the attempts of a turn back but for one: it waits, and what crashes from here on is not it."""
        ...

    async def abandon(self, event_id: str) -> Sequence[DispatchEvent]:
        """Return the open tasks given by a turn that has ended, due at once so that they can end too."""
        ...

    async def wake(self, event_id: str) -> TurnEvent | None:
        """Let a turn that was put off go on now; return its event if it was."""
        ...

    async def spent(self, event_id: str) -> float:
        """Return what the tasks below a turn have cost so far, and the tasks below these, in USD."""
        ...
