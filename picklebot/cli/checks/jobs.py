"""The jobs: that each can be begun. That their agents are there is looked at with the other names."""

import asyncio
from collections.abc import Iterator, Mapping

from picklebot.cli.checks.findings import Finding
from picklebot.cli.output import counted
from picklebot.cli.reading import reading
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.errors import PicklebotError
from picklebot.jobs.job import Job
from picklebot.store.base import JobState
from picklebot.wiring.upcoming import jobs_of, states_of
from picklebot.workers.plans import upcoming


def check_jobs(library: Library, config: Config) -> Iterator[Finding]:
    """Find jobs that are paused or over, and jobs that nobody begins."""
    jobs = jobs_of(library.crons, zone=zone_named(config.timezone), default_agent=config.default_agent)
    enabled = {name: job for name, job in jobs.items() if job.enabled}
    try:
        with reading(config) as opened:
            found = list(_complaints(enabled, asyncio.run(states_of(opened, enabled))))
    except PicklebotError:
        return  # the database has a finding of its own
    if enabled and not config.cron.enabled:
        found.append(_warning("no job is begun: cron.enabled is false", "set it to true in config.yaml"))
    yield from found
    if not found:
        yield Finding(level="ok", check="jobs", message=f"{counted(len(enabled), 'enabled job')}, none held up")


def _complaints(jobs: Mapping[str, Job], states: Mapping[str, JobState]) -> Iterator[Finding]:
    now = SystemClock().now()
    for name, job in jobs.items():
        state = states.get(name)
        if state is not None and state.paused:
            yield _warning(f"{name} is paused: {state.paused}", f"picklebot crons resume {name} lets it go on")
        elif job.every is None and upcoming(job, state, now) is None:
            yield _warning(f"{name} will not be due any more", "write a later time, or put its folder away")


def _warning(message: str, fix: str) -> Finding:
    return Finding(level="warning", check="jobs", message=message, fix=fix)
