"""When the jobs of a workspace are due next, as far as their files tell.

Promises aware moments. A job with `every` counts from its last run, which its file does not know: it has none here.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import croniter as _croniter  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # has no types

from picklebot.clock import zone_named
from picklebot.definitions.crons import CronSpec

_CRON: Any = _croniter.croniter  # pyright: ignore[reportUnknownMemberType]  # has no types
_NEVER: Any = _croniter.CroniterBadDateError  # pyright: ignore[reportUnknownMemberType]  # has no types


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
    zone = zone_named(spec.timezone) if spec.timezone else zone
    if spec.at is not None:
        at = datetime.fromisoformat(spec.at)
        at = at if at.tzinfo else at.replace(tzinfo=zone)
        return at if at > now else None
    if spec.schedule is None:
        return None
    try:
        moment: datetime = _CRON(spec.schedule, now.astimezone(zone)).get_next(datetime)
    except _NEVER:
        return None
    return moment
