"""Begins jobs at their moments.

Sleeps until the next one, and looks again when a definition changed, a turn ended, a person asked, or the clock was
set. Promises that what the timetable forgets costs a delay and never an instant: the store says how far each job is
accounted for. Knows no file, no row and no gate.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.events import DefinitionChanged, TurnFinished
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.jobs.job import Job
from picklebot.jobs.timing import Instant
from picklebot.store.base import Claimed, Held, JobBook
from picklebot.workers.catching_up import CatchUp
from picklebot.workers.cron_files import Roster
from picklebot.workers.job_table import JobTable
from picklebot.workers.requests import Request, RequestFolder
from picklebot.workers.starting import Starter

logger = logging.getLogger(__name__)

DOORBELLS = 4096  #: rings between two looks of this worker; a publisher waits when there are more
AT_ONCE = 64  #: jobs looked at together, so that their commits share a group
CLOCK_LOOK = 60.0  #: seconds between two looks whether the clock was set: a clock that is set tells nobody
STOPPED = "picklebot stopped while its gate was being asked"


class CronWorker:
    """The scheduler of all jobs, whatever they were written down in."""

    name = "cron"

    def __init__(
        self,
        *,
        bus: EventBus,
        book: JobBook,
        rosters: Sequence[Roster],
        starter: Starter,
        requests: RequestFolder,
        clock: Clock,
    ) -> None:
        self._book = book
        self._channels = {roster.channel for roster in rosters}
        self._table = JobTable(book=book, rosters=rosters, clock=clock)
        self._starter = starter
        self._requests = requests
        self._clock = clock
        self._catch_up = CatchUp(book=book, starter=starter, clock=clock)
        self._facts = bus.subscribe(DefinitionChanged, TurnFinished, maxsize=DOORBELLS)
        self._bell = asyncio.Event()
        self._changed: dict[str, None] = {}  # in the order in which they were rung, each once
        self._ended: dict[str, None] = {}
        self._survey_wanted = True
        self._requested = False
        self._stopping = False
        self.settled = asyncio.Event()
        """Every job that there was at the start is on the timetable."""
        self._gates: asyncio.TaskGroup

    def ring(self, job_id: str | None = None) -> None:
        """Look again at a job that was made, changed or removed; None: at all of them."""
        if job_id is None:
            self._survey_wanted = True
        else:
            self._changed[job_id] = None
        self._bell.set()

    def look_at_requests(self) -> None:
        """Take what a person asked for from outside."""
        self._requested = True
        self._bell.set()

    async def run_by_hand(self, job_id: str, *, wall: str, at: datetime) -> Claimed:
        """Begin a job now, paused or not.

        Raises:
            NotFound: there is no such job.
        """
        job = await self._table.find(job_id)
        if job is None:
            raise NotFound(f"there is no job {job_id!r}")
        claimed = await self._starter.begin(job, Instant(at, wall), None)
        self._follow(job, Instant(at, wall), claimed, by_hand=True)
        return claimed

    async def run(self, ready: Callable[[], None]) -> None:
        """Begin jobs until stopped."""
        async with asyncio.TaskGroup() as helpers, asyncio.TaskGroup() as self._gates:
            aids = [
                helpers.create_task(self._listen(), name="cron: what happens"),
                helpers.create_task(self._mind_the_clock(), name="cron: the clock"),
            ]
            await self._recover()
            await self._take_requests()  # before anything is begun: a pause may be among them
            ready()
            while not self._stopping:
                self._bell.clear()  # before looking: a ring while we look means look again
                await self._look()
                if not self._bell.is_set():
                    await self._clock.wait(self._bell, until=self._table.timetable.soonest())
            for aid in aids:
                aid.cancel()

    def stop(self) -> None:
        """Begin no more. Gates that are being asked get an answer, or their instants are unknown."""
        self._stopping = self._table.stopping = True
        self._facts.close()
        self._bell.set()

    async def _listen(self) -> None:
        async for event in self._facts:
            match event:
                case DefinitionChanged(kind="cron"):
                    self.ring(str(Source("cron", (event.definition_id,))))
                case TurnFinished() if event.source.channel in self._channels:
                    self._ended[str(event.source)] = None
                    self._bell.set()
                case _:
                    pass

    async def _mind_the_clock(self) -> None:
        """Ring when the clock was set, or the machine was suspended: timers notice neither."""
        while await self._table.filled.wait():
            began, at = self._clock.monotonic(), self._clock.now()
            await self._clock.sleep(CLOCK_LOOK)
            set_by = (self._clock.now() - at).total_seconds() - (self._clock.monotonic() - began)
            if abs(set_by) > 1.0:
                logger.info("the clock was set by %+.0f s", set_by)
                self._survey_wanted = self._survey_wanted or set_by < 0
                self._bell.set()

    async def _recover(self) -> None:
        """Take up what the last run left."""
        if unknown := await self._book.recover(reason=STOPPED):
            logger.warning("what became of %d instants is unknown: %s", unknown, STOPPED)
        for held in await self._book.waiting():
            self._ended[held.job_id] = None

    async def _look(self) -> None:
        if self._requested:
            self._requested = False
            await self._take_requests()
        if self._survey_wanted:
            self._survey_wanted = False
            await self._table.survey()
            self.settled.set()
        ended, self._ended = list(self._ended), {}
        await self._each(ended, self._after_turn)
        changed, self._changed = list(self._changed), {}
        due = [job_id for job_id in self._table.timetable.due(self._clock.now()) if job_id not in changed]
        await self._each([*changed, *due], self._attend)

    async def _each(self, job_ids: Sequence[str], attend: Callable[[str], Coroutine[Any, Any, None]]) -> None:
        for first in range(0, len(job_ids), AT_ONCE):
            if self._stopping:
                return
            async with asyncio.TaskGroup() as together:
                for job_id in job_ids[first : first + AT_ONCE]:
                    together.create_task(attend(job_id), name=f"job {job_id}")

    async def _attend(self, job_id: str) -> None:
        """Begin what is due of a job, and put it on the timetable again."""
        job = await self._table.find(job_id)
        if job is None or not job.enabled:
            await self._table.forget([job_id])
            return
        [state] = await self._table.take_in([job])
        if not state.over and state.due is not None and state.due <= self._clock.now():
            async for instant, claimed in self._catch_up.begin(job, state):
                self._follow(job, instant, claimed)
                if claimed.stage == "failed":
                    await self._table.failed(job, claimed.reason)
            await self._table.take_in([job])

    async def _after_turn(self, job_id: str) -> None:
        """A turn of a job has ended: the instant that waits for that may be begun."""
        await self._starter.check(job_id)
        for held in await self._book.waiting(job_id):
            job = await self._table.find(job_id)
            if job is None:
                await self._book.settle(job_id, held.wall, stage="skipped", reason="the job is gone")
                self._ended[job_id] = None
                continue
            claimed = await self._starter.go_on(job, held)
            if claimed.stage in {"skipped", "failed"}:
                self._ended[job_id] = None  # another one may wait behind it
            self._follow(job, Instant(held.at, held.wall), claimed, held=held)
        if job_id in self._ended:
            self._bell.set()

    def _follow(
        self, job: Job, instant: Instant, claimed: Claimed, *, held: Held | None = None, by_hand: bool = False
    ) -> None:
        """See to what a claim leaves to be done: a gate to ask, a job to put away."""
        if claimed.stage == "gating" and not claimed.again:
            held = held or Held(
                job_id=job.id,
                wall=instant.wall,
                at=instant.at,
                late=bool(claimed.reason),
                reason=claimed.reason,
                by_hand=by_hand,
            )
            self._gates.create_task(self._ask(job, held), name=f"gate of {job.id}")
        elif claimed.event is not None and job.ends:
            self.ring(job.id)

    async def _ask(self, job: Job, held: Held) -> None:
        claimed = await self._starter.ask(job, held)
        if claimed.event is not None and job.ends:
            self.ring(job.id)
        self._ended[job.id] = None  # another one may wait until this gate is answered
        self._bell.set()

    async def _take_requests(self) -> None:
        for request in await asyncio.to_thread(self._requests.pending):
            if not self._table.knows(request.job_id):
                continue  # it waits for a process that begins such jobs
            await self._take(request)
            await asyncio.to_thread(self._requests.done, request)

    async def _take(self, request: Request) -> None:
        logger.info("asked to %s job %s", request.what, request.job_id)
        match request.what:
            case "run":
                try:
                    await self.run_by_hand(request.job_id, wall=request.wall, at=request.moment)
                except NotFound as exc:
                    logger.warning("%s", exc)
            case "pause":
                await self._book.pause(request.job_id, "by hand")
            case "resume":
                await self._book.resume(request.job_id)
            case "add" | "cancel":
                self.ring(await self._table.change(request))
