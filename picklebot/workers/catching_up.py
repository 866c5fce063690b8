"""What is done about the instants of a job that have passed: one begun on time, or many that nobody was there for.

Promises that each of them gets its row, in bounded memory and in bounded transactions. Knows no timetable.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from datetime import datetime, timedelta
from itertools import takewhile

from picklebot.clock import Clock
from picklebot.jobs.job import Job
from picklebot.jobs.missed import divide
from picklebot.jobs.passed import Passed, passed
from picklebot.jobs.timing import Instant, Timing
from picklebot.store.base import Claimed, JobBook, JobState, Row
from picklebot.workers.plans import due_of, progress
from picklebot.workers.starting import Starter

logger = logging.getLogger(__name__)

GRACE = timedelta(seconds=60)  #: an instant that is begun later than this was missed
MOST_ROWS = 10_000  #: instants of one job that passed unattended and get a row each; those before them share one
_CHUNK = 500  # rows in one transaction
_FEW = timedelta(hours=1)  # cannot hold so many instants that they would keep the loop


class CatchUp:
    """Brings one job up to now."""

    def __init__(self, *, book: JobBook, starter: Starter, clock: Clock) -> None:
        self._book = book
        self._starter = starter
        self._clock = clock

    async def begin(self, job: Job, state: JobState) -> AsyncGenerator[tuple[Instant, Claimed], None]:
        """Account for every instant that has come, and yield those that were claimed, with what came of it."""
        timing, now = job.timing(state.anchor), self._clock.now()
        found = await self._passed(timing, state.through, now)
        ready = [*takewhile(lambda instant: due_of(job, instant) <= now, found.instants)]
        edge = now - GRACE - timedelta(seconds=job.jitter)
        old, fresh = [i for i in ready if i.at < edge], [i for i in ready if i.at >= edge]
        late, missed = divide(job.missed, old, now=now)
        if fresh and job.missed.policy in {"once", "within"}:
            late, missed = [], old  # the newest of all is begun, and that one is in time
        if found.earlier and ready:
            await self._account_earlier(job, timing, ready[0], found.earlier)
        await self._account(job, timing, missed)
        for instant in late:
            standing = job.missed.policy == "all"
            moved = progress(job, timing, instant.at)
            yield instant, await self._starter.begin(job, instant, moved, late=True, stand_by=standing)
            if job.ends:
                return
        for instant in fresh:
            yield instant, await self._starter.begin(job, instant, progress(job, timing, instant.at))
            if job.ends:
                return

    async def _passed(self, timing: Timing, after: datetime, now: datetime) -> Passed:
        if now - after < _FEW:
            return passed(timing, after=after, now=now, most=MOST_ROWS)
        return await asyncio.to_thread(passed, timing, after=after, now=now, most=MOST_ROWS)

    async def _account(self, job: Job, timing: Timing, missed: Sequence[Instant]) -> None:
        reason = f"picklebot was not running; missed: {job.missed.policy}"
        for first in range(0, len(missed), _CHUNK):
            chunk = missed[first : first + _CHUNK]
            rows = [Row(wall=instant.wall, at=instant.at, stage="missed", reason=reason) for instant in chunk]
            await self._book.account(job.id, rows, progress(job, timing, chunk[-1].at))
        if missed:
            logger.warning("job %s missed %d instants, the last one at %s", job.id, len(missed), missed[-1].wall)

    async def _account_earlier(self, job: Job, timing: Timing, first: Instant, count: int) -> None:
        reason = f"{count:,} instants before this moment passed while picklebot was not running"
        row = Row(wall=f"before {first.wall}", at=first.at, stage="missed", reason=reason)
        moved = progress(job, timing, first.at - timedelta(microseconds=1))
        await self._book.account(job.id, [row], moved)
