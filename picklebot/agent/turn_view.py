"""What a turn shows its model at this moment, and what that weighs.

Promises that a message is weighed once. Knows no window and nothing of how room is made.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from picklebot.agent.meter import Meter
from picklebot.agent.money import weigh
from picklebot.agent.view import show_turn
from picklebot.core.compaction import Compaction
from picklebot.core.messages import Message


class Shown(Protocol):
    """A session's conversation up to the turn in hand, and what of it is shown."""

    @property
    def messages(self) -> Sequence[Message]:
        """All of it, oldest first."""
        ...

    @property
    def shown(self) -> Sequence[Message]:
        """What a model is shown of it."""
        ...

    @property
    def weight(self) -> float:
        """What that weighs."""
        ...

    @property
    def meter(self) -> Meter:
        """What models counted."""
        ...

    unfinished: bool
    """A compaction was begun and not ended."""

    @property
    def compaction(self) -> Compaction | None:
        """What is in force."""
        ...

    def compact(self, compaction: Compaction) -> None:
        """Show it so from now on."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What is shown, and what it weighs with everything around it."""

    messages: Sequence[Message]
    weight: float


@dataclass(slots=True, kw_only=True)
class TurnView:
    """The conversation with the turn whose seq is `turn`. `overhead` is what the system prompt and the tools weigh."""

    conversation: Shown
    turn: int
    overhead: float = 0.0
    _weighed: list[tuple[Message, float]] = field(default_factory=list[tuple[Message, float]])

    @property
    def within(self) -> int:
        """How many messages of this turn are covered."""
        compaction = self.conversation.compaction
        return compaction.within if compaction is not None and compaction.turn == self.turn else 0

    def look(self, added: Sequence[Message]) -> Look:
        """Return what is shown now; `added` are the messages of the turn."""
        mine = show_turn(added, self.conversation.compaction, self.turn)
        weight = self.overhead + self.conversation.weight + sum(self._weigh(mine))
        return Look(messages=[*self.conversation.shown, *mine], weight=weight)

    def tokens(self, added: Sequence[Message]) -> float:
        """Return an estimate of what is shown now."""
        return self.conversation.meter.estimate(self.look(added).weight)

    def rest(self, added: Sequence[Message]) -> Sequence[Message]:
        """Return what is shown as it was said: all but the record of what is not."""
        compaction = self.conversation.compaction
        kept = len(self.conversation.messages) - (compaction.before if compaction else 0)
        shown = self.conversation.shown
        mine = show_turn(added, compaction, self.turn)
        return [*shown[len(shown) - kept :], *mine]

    def _weigh(self, mine: Sequence[Message]) -> list[float]:
        old = self._weighed
        self._weighed = [
            old[i] if i < len(old) and old[i][0] is message else (message, weigh(message))
            for i, message in enumerate(mine)
        ]
        return [weight for _, weight in self._weighed]
