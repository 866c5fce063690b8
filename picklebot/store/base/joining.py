"""Messages that are answered in the turn of another one: values and the seam. Knows no SQL."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from picklebot.core.events import InboundEvent, OutboundEvent
from picklebot.core.messages import Block, Message
from picklebot.core.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Joining:
    """Which of the messages that wait may be taken into a turn, and in what words.

    They are taken in their order, and none that stands behind one which may not be: nothing is overtaken.
    """

    most: int
    characters: int
    apart: frozenset[str]
    """Channels whose messages are never taken into a turn, and into whose turns none is taken."""
    context: Callable[[InboundEvent, Source], str]
    """A message and the source of the turn -> what the model is told of it before its content."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Joined:
    """A message that the turn of another one answers.

    `step` is the first model call that sees it, 0 for one that stands in the opening; None for one whose own turn was
    interrupted by the message of this turn.
    """

    seq: int
    event: InboundEvent
    step: int | None
    context: str = ""

    @property
    def blocks(self) -> Sequence[Block]:
        """What the model is shown of it."""
        return Message.user(self.context, self.event.content).blocks


class Answers(Protocol):
    """Says by which turn a message is answered, and with what."""

    async def turn_of(self, event_id: str) -> str:
        """Return the id of the message whose turn answers this one: mostly its own."""
        ...

    async def replies_to(self, event_id: str) -> list[OutboundEvent]:
        """Return what was said in answer to a message, also where several were answered together; oldest first."""
        ...
