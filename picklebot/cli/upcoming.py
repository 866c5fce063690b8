"""When the jobs of a workspace are due next, as far as their files tell.

Promises aware moments. A job with `every` counts from its last run, which its file does not know: it has none here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo

from picklebot.definitions.crons import CronSpec
from picklebot.jobs.timing import next_instant, timing_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A job and its next moment."""

    id: str
    agent: str
    at: datetime


def next_jobs(crons: Mapping[str, CronSpec], *, now: datetime, zone: tzinfo, default_agent: str) -> list[Upcoming]:
    """Return the enabled jobs with their next moment, soonest first."""
    found = [
        Upcoming(id=spec.id, agent=spec.agent or default_agent, at=at)
        for spec in crons.values()
        if spec.enabled and (at := next_moment(spec, now=now, zone=zone)) is not None
    ]
    return sorted(found, key=lambda job: (job.at, job.id))


def next_moment(spec: CronSpec, *, now: datetime, zone: tzinfo) -> datetime | None:
    """Return when a job is due next, in its own time zone; None if never, or if its file cannot tell."""
    if spec.every is not None:
        return None
    timing = timing_of(spec, zone=zone, anchor=now)
    instant = next_instant(timing, after=now)
    return instant.at.astimezone(timing.zone) if instant else None
