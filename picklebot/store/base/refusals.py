"""What a day's budget refused, and what the owner lifted: values and the seam. Knows no SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.events import TurnEvent
from picklebot.core.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """The word of a day's budget. The same `budget`, day and ceiling refuse in the same words, told once."""

    budget: str
    tag: str
    once: bool = False
    """Told once for all that waits for it, in whichever session."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many turns wait for one budget. `until` is when the first of them goes on."""

    budget: str
    turns: int
    until: datetime


class Refusals(Protocol):
    """Turns that wait for money."""

    async def waiting(self, now: datetime) -> Sequence[Waiting]:
        """Return the budgets that turns wait for, by key."""
        ...

    async def holds(self, session_id: str, now: datetime) -> bool:
        """Return whether a turn of this session waits for money, and all that came after it behind it."""
        ...

    async def lift(self, budget: str, *, by: Source, at: datetime) -> Sequence[TurnEvent]:
        """Let a budget hold once more today, and wake the turns that wait for it; return what they answer.

        Where none waits nothing is lifted, so that to ask again changes nothing.
        """
        ...

    async def lifts(self, since: datetime) -> Mapping[str, int]:
        """Return how often each budget was lifted."""
        ...
