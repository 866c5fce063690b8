"""A session's conversation in memory, and what of it is shown to a model.

Promises that the messages are all there, oldest first, whatever is shown of them. Knows no store.
"""

from collections.abc import Sequence
from dataclasses import replace

from picklebot.agent.meter import Meter
from picklebot.agent.money import weigh
from picklebot.agent.view import show
from picklebot.core.compaction import Compaction
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import Message


class Conversation:
    """The messages of a session's ended turns. `size` is what all of them weigh, `weight` what is shown of them.

    `marks` is what these turns had read.
    """

    def __init__(self, messages: Sequence[Message], compaction: Compaction | None = None, *, tokens: int = 0) -> None:
        """`tokens`: what a model counted for what is shown, if one did."""
        self.marks: Marks = NO_MARKS
        self._messages = list(messages)
        self.size = sum(map(weigh, messages))
        self.meter = Meter(tokens=tokens)
        self.compaction = compaction
        self.unfinished = False  #: a compaction was begun and not ended
        self._shown: list[Message] | None = None
        self._weight = 0.0 if compaction else self.size

    @property
    def messages(self) -> Sequence[Message]:
        """Oldest first. Do not change what it returns."""
        return self._messages

    @property
    def shown(self) -> Sequence[Message]:
        """What is shown of them. Do not change what it returns."""
        if self.compaction is None:
            return self._messages
        if self._shown is None:
            self._shown = show(self._messages, self.compaction)
            self._weight = sum(map(weigh, self._shown))
        return self._shown

    @property
    def weight(self) -> float:
        """What that weighs."""
        return self._weight if self.shown else 0.0

    def extend(self, messages: Sequence[Message]) -> None:
        """Add the messages of a turn that has ended."""
        before, compaction = len(self._messages), self.compaction
        weight = sum(map(weigh, messages))
        self._messages.extend(messages)
        self.size += weight
        if compaction is None:
            self._weight += weight
        elif compaction.within:
            self.compact(replace(compaction, before=before + min(compaction.within, len(messages)), within=0))
        elif self._shown is not None:
            added = show(messages, replace(compaction, before=0, digest=None))
            self._shown += added
            self._weight += sum(map(weigh, added)) if compaction.trimmed else weight

    def compact(self, compaction: Compaction) -> None:
        """Show it so from now on."""
        self.compaction = compaction
        self._shown = None
