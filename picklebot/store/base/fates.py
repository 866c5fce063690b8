"""What became of a message, for whoever comes back to ask. Values and seams; knows no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from picklebot.core.events import OutboundEvent

FateState: TypeAlias = Literal["open", "parked", "done", "failed", "stopped", "dead"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """What became of a message so far, and what was answered. `kind`: the class of its `error`; `until`: how long it is parked."""

    state: FateState
    replies: Sequence[OutboundEvent]
    error: str | None = None
    kind: str | None = None
    until: datetime | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more will come of it by itself."""
        return self.state not in {"open", "parked"}

    @property
    def reply(self) -> str:
        """The whole answer."""
        return "\n\n".join(reply.content for reply in self.replies)


class Fates(Protocol):
    """Knows what became of messages."""

    async def of(self, event_id: str, now: datetime) -> Fate:
        """Return what became of a message.

        Raises:
            NotFound: no message has that id.
        """
        ...
