"""A job: something an agent is asked to do at certain moments, wherever it was written down.

Promises a plain value that a file and a conversation fill in alike. Knows no file, no row and not what time it is.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from hashlib import blake2b
from typing import Literal, TypeAlias

from picklebot.core.source import Source
from picklebot.definitions.crons import CronSpec, Missed
from picklebot.jobs.timing import Timing, timing_of

Overlap: TypeAlias = Literal["skip", "queue"]

CRON = "cron"  #: the channel of a job from a CRON.md
_ANY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job. Exactly one of `cron`, `every` (seconds) and `at` is given; `at` is aware."""

    id: str
    """Its source as text: `cron:morning-brief`, `task:<id>`."""
    name: str
    agent_id: str
    zone: tzinfo
    missed: Missed
    cron: str | None = None
    every: float | None = None
    at: datetime | None = None
    prompt: str = ""
    overlap: Overlap = "skip"
    session: str = "fresh"
    """`fresh`, `keep`, or the id of a session."""
    deliver: str = "last"
    """`none`, `last`, or a source."""
    gate: str | None = None
    enabled: bool = True
    one_off: bool = False
    jitter: float = 0.0
    day_usd: float | None = None
    since: datetime | None = None
    """From when on it is due, where that is known: when it was made. None: from when it was first seen."""

    @property
    def source(self) -> Source:
        """Who speaks when the job does."""
        return Source.parse(self.id)

    @property
    def ends(self) -> bool:
        """Whether it is over once it was begun."""
        return self.one_off or self.at is not None

    @property
    def fingerprint(self) -> str:
        """Say in a few characters when it is due: two jobs with the same one are due at the same moments."""
        at = self.at.isoformat() if self.at else None
        told = repr((self.cron, self.every, at, str(self.zone), self.jitter, self.one_off))
        return blake2b(told.encode(), digest_size=12).hexdigest()

    def timing(self, anchor: datetime) -> Timing:
        """Return when it is due; `every` counts from `anchor`."""
        return Timing(zone=self.zone, cron=self.cron, every=self.every, at=self.at, anchor=anchor, jitter=self.jitter)


def job_of(spec: CronSpec, *, default_agent: str, zone: tzinfo) -> Job:
    """Return the job of a CRON.md; `default_agent` and `zone` are for a file that names none."""
    timing = timing_of(spec, zone=zone, anchor=_ANY)
    return Job(
        id=str(Source(CRON, (spec.id,))),
        name=spec.name,
        agent_id=spec.agent or default_agent,
        zone=timing.zone,
        cron=timing.cron,
        every=timing.every,
        at=timing.at,
        prompt=spec.prompt,
        missed=spec.missed,
        overlap=spec.overlap,
        session=spec.session,
        deliver=spec.deliver,
        gate=spec.gate,
        enabled=spec.enabled,
        one_off=spec.one_off,
        jitter=spec.jitter,
        day_usd=spec.budget.day_usd,
    )
