"""How a conversation is shown to its model once it has grown long: pure values, and the seam that writes them down.

The conversation itself stays whole; a compaction only says what is shown of it from now on. Knows no store and no model.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol, TypeAlias

from picklebot.core.journal import PlannedCall, RecordedStep

Why: TypeAlias = Literal["asked", "full", "refused"]
"""By the user's wish; before the window was full; because the model refused the conversation for its length."""

RECORDING = "You keep the record of a conversation"  #: how a request begins that is about the record, its system prompt
SUMMARISING = "Now write the record"  #: how the request for it begins, after the one for notes
_ORDER = re.compile(r"/compact(?:@\S+)?(?:\s+(.*))?", re.DOTALL)


def compact_order(content: str) -> str | None:
    """Return what a user who writes `/compact ...` wants kept ("" for nothing special); None for any other message."""
    match = _ORDER.fullmatch(content.strip())
    return (match[1] or "").strip() if match else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """What stands for the older part of a conversation."""

    summary: str
    said: tuple[str, ...] = ()
    """The user's own words, oldest first, as far as there is room."""
    left_out: int = 0
    """How many of the user's messages there was no room for."""
    names: tuple[str, ...] = ()
    """Paths, addresses, ids and numbers that the summary does not hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """What is shown of a conversation: not what it covers, but its digest, then the rest, with some results cut short.

    `before` counts messages of ended turns from the start, `within` those of the turn whose seq is `turn`.
    """

    turn: int
    before: int = 0
    within: int = 0
    digest: Digest | None = None
    trimmed: Mapping[str, int] = field(default_factory=dict[str, int])
    """Call id -> how many characters of its result are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A compaction that has begun. `steps` are the model calls that it has recorded, by their numbers.

    `step` is the number of its flush; the one of its summary is one less. Below zero, because they are no steps of the
    turn's own.
    """

    id: int
    step: int
    draft: Compaction
    keep: str = ""
    """What the user wants kept above all."""
    steps: Mapping[int, RecordedStep] = field(default_factory=dict[int, RecordedStep])


class CompactionJournal(Protocol):
    """Where a turn writes down what it does to keep its conversation short. What returned is on disk."""

    async def spent(self) -> float:
        """Return what earlier attempts of this turn have spent on calls that are no part of it, in USD."""
        ...

    async def pending(self) -> Begun | None:
        """Return the compaction that an earlier attempt of this turn has begun and not ended."""
        ...

    async def begin(self, draft: Compaction, *, why: Why, keep: str) -> Begun:
        """Record what is about to be covered, why, and what the user wants kept."""
        ...

    async def record_flush(self, step: RecordedStep, calls: Sequence[PlannedCall]) -> None:
        """Record which notes the model wants kept, before they are."""
        ...

    async def finish(self, begun: Begun, compaction: Compaction, step: RecordedStep | None) -> None:
        """Put the compaction in force, with the model call that it ends with, if there was one."""
        ...

    async def give_up(self, begun: Begun, step: RecordedStep | None) -> None:
        """Let the conversation be shown as it was; the model call that was of no use counts."""
        ...
