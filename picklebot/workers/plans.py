"""How far a job is accounted for, worked out anew where that is needed: pure.

Promises that a new or changed schedule counts from now, and that a clock which was set back leaves no job waiting for
a moment that is far away. Knows no store and no bus.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta

from picklebot.jobs.job import Job
from picklebot.jobs.timing import Instant, Timing, delay_of, next_instant
from picklebot.store.base import JobState, Progress

logger = logging.getLogger(__name__)

_QUIETLY = timedelta(seconds=60)  # clocks are corrected all the time


def planned(job: Job, state: JobState | None, now: datetime) -> JobState:
    """Return what holds for a job now; `state` itself if nothing else does than what is remembered."""
    if state is None or state.fingerprint != job.fingerprint:
        since = min(job.since or now, now)
        fresh = JobState(id=job.id, fingerprint=job.fingerprint, anchor=since.replace(microsecond=0), through=since)
        return _scheduled(job, replace(fresh, paused=state.paused if state else None))
    if state.through > now:
        # It was begun when the clock said something later. What has its row has it; the rest counts from now.
        if state.through > now + _QUIETLY and not state.over:
            logger.warning("the clock was set back: job %s goes on from %s, not from %s", job.id, now, state.through)
        return _scheduled(job, replace(state, anchor=min(state.anchor, now), through=now))
    return state


def progress(job: Job, timing: Timing, through: datetime) -> Progress:
    """Return how far a job is once everything up to `through` is accounted for."""
    following = next_instant(timing, after=through)
    return Progress(
        through=through,
        next=following.at if following else None,
        due=due_of(job, following) if following else None,
    )


def upcoming(job: Job, state: JobState | None, now: datetime) -> datetime | None:
    """Return when a job is due next, in its own time zone; None if never, or if nobody has seen it since it changed."""
    if not job.enabled:
        return None
    known = state if state is not None and state.fingerprint == job.fingerprint else None
    if known is None and job.every is not None:  # it counts from when the daemon first sees it
        return None
    if known is not None and known.over:
        return None
    anchor, after = (known.anchor, max(known.through, now)) if known is not None else (now, now)
    instant = next_instant(job.timing(anchor), after=after)
    return instant.at.astimezone(job.zone) if instant is not None else None


def due_of(job: Job, instant: Instant) -> datetime:
    """Return when an instant is to be begun."""
    return instant.at + delay_of(job.id, instant, job.jitter)


def _scheduled(job: Job, state: JobState) -> JobState:
    if state.over:
        return state
    found = progress(job, job.timing(state.anchor), state.through)
    return replace(state, next=found.next, due=found.due)
