"""What is remembered of jobs: how far each is accounted for, and what became of each instant. Values and seams.

An instant is one row, made in the same transaction as the message that it sends. Knows no SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from picklebot.core.events import InboundEvent, OutboundEvent
from picklebot.core.source import Source
from picklebot.jobs.job import Overlap
from picklebot.store.base.flow import Arrival

Verdict: TypeAlias = Literal["ran", "skipped", "missed", "late", "failed", "unknown"]
Stage: TypeAlias = Literal["gating", "waiting", "fired", "late", "skipped", "missed", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """What is remembered of one job. `next` is its next instant; `due`, a jitter later, is when that is begun."""

    id: str
    fingerprint: str
    """Of the schedule that all of this was worked out from."""
    anchor: datetime
    through: datetime
    """Every instant up to here is accounted for."""
    next: datetime | None = None
    due: datetime | None = None
    over: bool = False
    """It was to be begun once, and that is done."""
    paused: str | None = None
    """Why it is paused; None: it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a job is accounted for once an instant is."""

    through: datetime
    next: datetime | None
    due: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Firing:
    """An instant to be begun, with the message that it sends; the message's key is `<job>@<wall>`.

    `progress` None: begun by hand, which moves no schedule and is done even if the job is paused.
    `stand_by`: it waits for its turn behind others, however many. `ends`: once it is begun, the job is over.
    """

    job_id: str
    wall: str
    at: datetime
    arrival: Arrival
    progress: Progress | None = None
    overlap: Overlap = "skip"
    stand_by: bool = False
    ends: bool = False
    gated: bool = False
    late: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What became of an instant that sends nothing."""

    wall: str
    at: datetime
    stage: Stage
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Claimed:
    """What became of a claim. `again`: the instant had its row before, and nothing was done."""

    stage: Stage
    reason: str = ""
    event: InboundEvent | None = None
    again: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An instant that has its row and not yet its message: its gate is being asked, or it waits for its turn."""

    job_id: str
    wall: str
    at: datetime
    late: bool
    reason: str
    by_hand: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class InstantReport:
    """One instant as people read it. `open`: it may still come out otherwise."""

    job_id: str
    wall: str
    at: datetime
    verdict: Verdict
    reason: str
    event_id: str | None
    open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tripped:
    """A job that failed too often and is paused now, and the word about it, if there is anybody to hear it."""

    why: str
    notice: OutboundEvent | None = None


class JobBook(Protocol):
    """Jobs' own memory. Each method that changes something is one transaction."""

    async def page(self, *, after: str = "", limit: int = 1000) -> list[JobState]:
        """Return what is remembered of jobs whose id comes after `after`, by id."""
        ...

    async def states(self, job_ids: Sequence[str]) -> list[JobState]:
        """Return what is remembered of these jobs."""
        ...

    async def adopt(self, states: Sequence[JobState]) -> None:
        """Remember jobs with new schedules. A pause stays as it was."""
        ...

    async def retire(self, job_ids: Sequence[str]) -> None:
        """Forget when jobs are due that are no more; should one come back, it begins anew. Its instants stay."""
        ...

    async def account(self, job_id: str, rows: Sequence[Row], progress: Progress | None) -> int:
        """Write rows for instants that send nothing; those that have one already keep it. Return how many are new."""
        ...

    async def claim(self, firing: Firing, *, limit: int) -> Claimed:
        """Make an instant's row and accept its message, both or neither; or make the row that says why not."""
        ...

    async def fire(self, firing: Firing, *, limit: int) -> Claimed:
        """Let an instant that is held send its message, if nothing of its job runs."""
        ...

    async def settle(self, job_id: str, wall: str, *, stage: Stage, reason: str) -> None:
        """End an instant that is held, without a message."""
        ...

    async def waiting(self, job_id: str | None = None) -> list[Held]:
        """Return the oldest instant that waits, of a job or of each."""
        ...

    async def recover(self, *, reason: str) -> int:
        """Call unknown what became of the instants whose gates were being asked; return how many."""
        ...

    async def pause(self, job_id: str, why: str) -> bool:
        """Pause a job; return whether it was not paused before."""
        ...

    async def resume(self, job_id: str) -> bool:
        """Let a job go on, its failures forgotten; return whether it was paused."""
        ...

    async def trip(self, job_id: str, *, most: int, to: Source | None, at: datetime) -> Tripped | None:
        """Pause a job whose last `most` turns all failed, and tell `to`; None if it goes on, or is paused already."""
        ...

    async def history(self, job_id: str, *, limit: int) -> list[InstantReport]:
        """Return a job's last instants, the newest last."""
        ...
