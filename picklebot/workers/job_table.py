"""Which jobs there are, and when each is due next: the rosters, the store and the timetable, kept in agreement.

Promises that a job whose schedule did not change is due when the store says so, also after a restart, and that many
jobs are taken in without keeping the loop. Begins nothing.
"""

import asyncio
from collections.abc import Sequence

from picklebot.clock import Clock
from picklebot.core.source import Source
from picklebot.jobs.job import Job
from picklebot.jobs.timetable import Timetable
from picklebot.store.base import JobBook, JobState
from picklebot.workers.cron_files import Roster
from picklebot.workers.plans import planned
from picklebot.workers.requests import Request


class JobTable:
    """The jobs of all rosters. `filled` is set once there is a moment to wait for."""

    def __init__(self, *, book: JobBook, rosters: Sequence[Roster], clock: Clock) -> None:
        self.timetable = Timetable()
        self.filled = asyncio.Event()
        self.stopping = False
        self._book = book
        self._rosters = {roster.channel: roster for roster in rosters}
        self._clock = clock

    def knows(self, job_id: str) -> bool:
        """Return whether a job, if there is one, would stand in one of the rosters."""
        return Source.parse(job_id).channel in self._rosters

    async def failed(self, job: Job, reason: str) -> None:
        """Tell the job's roster that it could not be begun."""
        await self._rosters[job.source.channel].failed(job, reason)

    async def change(self, request: Request) -> str:
        """Add or cancel a job, as a person asked from outside; return its id."""
        return await self._rosters[Source.parse(request.job_id).channel].change(request)

    async def find(self, job_id: str) -> Job | None:
        """Return a job as it is now; None if there is none."""
        roster = self._rosters.get(Source.parse(job_id).channel)
        return await roster.job(job_id) if roster is not None else None

    async def survey(self) -> None:
        """Look at every job there is: take in what is new or has changed, and forget what is gone."""
        known: set[str] = set()
        for roster in self._rosters.values():
            async for jobs in roster.all():
                if self.stopping:
                    return
                enabled = [job for job in jobs if job.enabled]
                known.update(job.id for job in enabled)
                await self.take_in(enabled)
        after = ""
        while page := await self._book.page(after=after):
            after = page[-1].id
            ours = [state for state in page if self.knows(state.id)]  # the rest is another process's to begin
            if gone := [state.id for state in ours if state.id not in known and state.fingerprint]:
                await self.forget(gone)

    async def take_in(self, jobs: Sequence[Job]) -> list[JobState]:
        """Put jobs on the timetable, planned anew where their schedule or the clock was changed; return their states."""
        states = {state.id: state for state in await self._book.states([job.id for job in jobs])}
        now = self._clock.now()

        def plan() -> list[JobState]:
            return [planned(job, states.get(job.id), now) for job in jobs]

        plans = plan() if len(jobs) == 1 else await asyncio.to_thread(plan)
        if fresh := [plan for plan in plans if plan is not states.get(plan.id)]:
            await self._book.adopt(fresh)
        for job, state in zip(jobs, plans, strict=True):
            await self._enter(job, state)
        return plans

    async def forget(self, job_ids: Sequence[str]) -> None:
        """Take jobs off the timetable, and forget when they were due."""
        for job_id in job_ids:
            self.timetable.remove(job_id)
        await self._book.retire(job_ids)

    async def _enter(self, job: Job, state: JobState) -> None:
        if state.over or (state.due is None and job.since is not None):
            self.timetable.remove(job.id)
            await self._rosters[job.source.channel].put_away(job)
        elif state.due is None:
            self.timetable.remove(job.id)
        else:
            self.timetable.put(job.id, state.due)
            self.filled.set()
