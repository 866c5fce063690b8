"""What the scheduler costs with many jobs: to take them in, to start again, to wait, and to begin the next one.

The real worker on the real store; nothing is due but for what is asked of it. Figures are time of the processor, but
for the beginning of a job, which waits for the disk.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC
from pathlib import Path
from time import perf_counter, process_time

from benchmarks.rows import Bar, Row, Scale
from picklebot.clock import SystemClock
from picklebot.core.bus import EventBus
from picklebot.definitions.crons import Missed
from picklebot.jobs.job import CRON, Job
from picklebot.store.sqlite import SqliteStore, open_store
from picklebot.workers.cron import CronWorker
from picklebot.workers.destinations import Nowhere
from picklebot.workers.gates import Gates
from picklebot.workers.requests import Request, RequestFolder
from picklebot.workers.starting import Starter, Terms

SLICE = 500
IDLE = Bar(most=1.0)  #: percent of a core


class Anybody:
    """Has every agent."""

    def get_agent(self, agent_id: str) -> object:
        """Return it."""
        return agent_id


class Crowd:
    """Many jobs, due in the small hours of every day of the month that is farthest away."""

    channel = CRON

    def __init__(self, count: int) -> None:
        month = (SystemClock().now().month + 5) % 12 + 1
        self.jobs = {job.id: job for job in (_job(n, month) for n in range(count))}

    async def all(self) -> AsyncGenerator[Sequence[Job], None]:
        """Yield every job."""
        jobs = list(self.jobs.values())
        for first in range(0, len(jobs), SLICE):
            yield jobs[first : first + SLICE]

    async def job(self, job_id: str) -> Job | None:
        """Return a job."""
        return self.jobs.get(job_id)

    async def put_away(self, job: Job) -> None:
        """Keep it."""

    async def failed(self, job: Job, reason: str) -> None:
        """Leave it at its row."""

    async def change(self, request: Request) -> str:
        """Add and cancel none."""
        return request.job_id


def run(scale: Scale) -> list[Row]:
    """Measure with many jobs."""
    count, seconds = (200, 0.2) if scale.quick else (100_000, 30.0)
    folder = scale.folder / "scheduler"
    folder.mkdir()
    return asyncio.run(_measure(folder, count, seconds))


async def _measure(folder: Path, count: int, seconds: float) -> list[Row]:
    crowd, case = Crowd(count), f"{count:,} jobs"
    async with open_store(folder / "jobs.db") as store:
        first, _ = await _life(store, folder, crowd, 0.0)
        again, idle = await _life(store, folder, crowd, seconds)

    def row(what: str, figure: float, unit: str, bar: Bar | None = None) -> Row:
        return Row(bench="scheduler", case=case, what=what, figure=figure, unit=unit, bar=bar)

    return [
        row("seen for the first time", first * 1000, "ms"),
        row("start again", again * 1000, "ms"),
        row("nothing is due", idle * 100, "%", IDLE),
    ]


async def _life(store: SqliteStore, folder: Path, crowd: Crowd, seconds: float) -> tuple[float, float]:
    """Run the scheduler; return the time to take all jobs in, and the share of a core while it waits."""
    bus, clock = EventBus(), SystemClock()
    terms = Terms(agents=Anybody(), gates=Gates(None, {}), places=Nowhere(), queue_limit=20)
    worker = CronWorker(
        bus=bus,
        book=store.jobs,
        rosters=[crowd],
        starter=Starter(bus=bus, book=store.jobs, clock=clock, terms=terms),
        requests=RequestFolder(folder / "requests"),
        clock=clock,
    )
    began = process_time()
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(lambda: None), name="scheduler")
        await worker.settled.wait()
        took, wall, busy = process_time() - began, perf_counter(), process_time()
        await asyncio.sleep(seconds)
        idle = (process_time() - busy) / max(perf_counter() - wall, 1e-9)
        worker.stop()
    return took, idle


def _job(n: int, month: int) -> Job:
    return Job(
        id=f"{CRON}:job-{n:06}",
        name=f"job {n}",
        agent_id="pickle",
        zone=UTC,
        missed=Missed("once"),
        cron=f"{n % 60} {n // 60 % 5} * {month} *",
        prompt="say hello",
    )
