"""When the jobs of a workspace are due next, as far as their files and the store tell.

Promises aware moments. A job with `every` counts from when the daemon first saw it: before that it has none.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, tzinfo

from picklebot.definitions.crons import CronSpec
from picklebot.jobs.job import CRON, Job, job_of
from picklebot.store.base import JobState
from picklebot.store.sqlite import SqliteStore
from picklebot.workers.plans import upcoming

MOST = 100  #: jobs that are not files, in one answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Upcoming:
    """A job and its next moment."""

    id: str
    agent: str
    at: datetime


def jobs_of(crons: Mapping[str, CronSpec], *, zone: tzinfo, default_agent: str) -> dict[str, Job]:
    """Return the jobs of the files, by the names of the files."""
    return {name: job_of(spec, default_agent=default_agent, zone=zone) for name, spec in crons.items()}


async def states_of(opened: SqliteStore | None, jobs: Mapping[str, Job]) -> dict[str, JobState]:
    """Return what is remembered of jobs, by the names of their files."""
    if opened is None:
        return {}
    found = await opened.jobs.states([job.id for job in jobs.values()])
    by_id = {state.id: state for state in found}
    return {name: by_id[job.id] for name, job in jobs.items() if job.id in by_id}


async def next_jobs(opened: SqliteStore | None, jobs: Mapping[str, Job], *, now: datetime) -> Sequence[Upcoming]:
    """Return the jobs that will be begun, with their next moment, soonest first: files, and what the store has beside."""
    states = await states_of(opened, jobs)
    found = [
        Upcoming(id=name, agent=job.agent_id, at=at)
        for name, job in jobs.items()
        if not (name in states and states[name].paused) and (at := upcoming(job, states.get(name), now)) is not None
    ]
    others = await opened.jobs.soonest(MOST) if opened is not None else []
    found += [
        Upcoming(id=state.id, agent="", at=state.next)
        for state in others
        if state.next is not None and not state.id.startswith(f"{CRON}:")
    ]
    return sorted(found, key=lambda job: (job.at, job.id))
