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


class JobTable:
    """The jobs of all rosters. `filled` is set once there is a moment to wait for."""

    def __init__(self, *, book: JobBook, rosters: Sequence[Roster], clock: Clock) -> None:
        self.timetable = Timetable()
        self.filled = asyncio.Event()
        self.stopping = False
        self._book = book
        self._rosters = {roster.channel: roster for roster in rosters}
        self._clock = clock

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
            if gone := [state.id for state in page if state.id not in known and state.fingerprint]:
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
        if state.over:
            self.timetable.remove(job.id)
            await self._rosters[job.source.channel].put_away(job)
        elif state.due is None:
            self.timetable.remove(job.id)
        else:
            self.timetable.put(job.id, state.due)
            self.filled.set()
