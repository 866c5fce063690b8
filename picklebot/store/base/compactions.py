"""What is shown of conversations: the seam. Knows no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.compaction import Begun, Compaction, Why
from picklebot.core.journal import RecordedStep
from picklebot.core.messages import ToolResult
from picklebot.store.base.flow import Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Sight:
    """What is in force in a session, and the tokens that its model counted last (0: not since then).

    `unfinished`: a compaction was begun there and not ended.
    """

    compaction: Compaction | None = None
    tokens: int = 0
    unfinished: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactionReport:
    """A compaction as it is reported."""

    id: int
    turn: int
    why: str
    state: str
    compaction: Compaction
    at: datetime


class Compactions(Protocol):
    """What is shown of each session's conversation."""

    async def sight(self, session_id: str) -> Sight:
        """Return how a session is shown."""
        ...

    async def spent(self, turn: Turn) -> float:
        """Return what a turn has spent on model calls that are no part of its conversation, in USD."""
        ...

    async def pending(self, turn: Turn) -> Begun | None:
        """Return the compaction that a turn has begun and not ended."""
        ...

    async def begin(self, turn: Turn, draft: Compaction, *, why: Why, keep: str, at: datetime) -> Begun:
        """Record what is about to be covered."""
        ...

    async def finish(
        self, turn: Turn, begun: Begun, compaction: Compaction, step: RecordedStep | None, *, at: datetime
    ) -> None:
        """Put a compaction in force, with the model call that it ends with."""
        ...

    async def give_up(self, turn: Turn, begun: Begun, step: RecordedStep | None, *, at: datetime) -> None:
        """End a compaction that changes nothing."""
        ...

    async def count(self, turn: Turn, step: RecordedStep, *, at: datetime) -> None:
        """Record a model call that is of no use."""
        ...

    async def result(self, session_id: str, call_id: str) -> ToolResult | None:
        """Return what came of a call in a session; None: nothing is known of it."""
        ...

    async def of_session(self, session_id: str) -> Sequence[CompactionReport]:
        """Return every compaction of a session, oldest first."""
        ...
