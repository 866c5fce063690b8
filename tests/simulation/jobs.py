"""A story about jobs: some lives of the scheduler, killed, cut off and with clocks that are set, and what they leave.

Promises that a seed tells the whole story. Beside the scheduler works somebody who ends turns, and nobody else.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from picklebot.core.bus import EventBus
from picklebot.core.events import InboundEvent, TurnFinished
from picklebot.definitions.crons import Missed
from picklebot.jobs.job import Job
from picklebot.store.base import Conclusion, JobBook
from picklebot.store.database import Database
from picklebot.store.jobs import SqliteJobBook
from picklebot.store.sqlite import SqliteStore
from picklebot.supervisor import supervise
from picklebot.tools.base import Tool, ToolContext
from picklebot.workers.cron import CronWorker
from picklebot.workers.destinations import Nowhere
from picklebot.workers.gates import Gates
from picklebot.workers.requests import Request, RequestFolder
from picklebot.workers.starting import Starter, Terms
from tests.power.disk import Disk, Image
from tests.power.vfs import fresh, opened
from tests.simulation.database import SimDatabase
from tests.simulation.loop import Crash, SimLoop
from tests.simulation.players import START, SimClock

Books = Callable[[Database], JobBook]
LIFE = 150.0  #: seconds of a life that nothing ends before
QUIET = """SELECT (SELECT count(*) FROM inbox WHERE state = 'open')
    + (SELECT count(*) FROM instants WHERE stage IN ('waiting', 'gating'))"""
TICK = 7
JOBS = (
    Job(id="cron:tick", name="", agent_id="echo", zone=UTC, every=TICK, missed=Missed("all"), overlap="queue"),
    Job(id="cron:gated", name="", agent_id="echo", zone=UTC, every=11, missed=Missed("once"), gate="look"),
    Job(id="cron:minute", name="", agent_id="echo", zone=UTC, cron="* * * * *", missed=Missed("skip"), jitter=9.0),
    Job(id="cron:once", name="", agent_id="echo", zone=UTC, at=START + timedelta(seconds=60), missed=Missed("once")),
)


class SetClock(SimClock):
    """A clock that is `ahead` of the loop's time by seconds that may change."""

    ahead = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.ahead)


class Few:
    """A few jobs; one that was put away is gone."""

    channel = "cron"

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._jobs = {job.id: job for job in jobs}

    async def all(self) -> AsyncGenerator[Sequence[Job], None]:
        yield list(self._jobs.values())

    async def job(self, job_id: str) -> Job | None:
        return self._jobs.get(job_id)

    async def put_away(self, job: Job) -> None:
        """Leave it where it is, as where a folder cannot be moved."""

    async def failed(self, job: Job, reason: str) -> None:
        """Leave it at its row."""

    async def change(self, request: Request) -> str:
        """Add and cancel none."""
        return request.job_id

    def get_agent(self, agent_id: str) -> object:
        return agent_id


class Performer:
    """Ends turns, each after a while, and notes those of one job that overlap."""

    name = "performer"

    def __init__(self, bus: EventBus, store: SqliteStore, clock: SetClock, rng: Random, problems: list[str]) -> None:
        self._bus, self._store, self._clock, self._rng, self._problems = bus, store, clock, rng, problems
        self._inbox = bus.subscribe(InboundEvent, maxsize=4096)
        self._playing: set[str] = set()
        self._jobs: set[str] = set()

    async def run(self, ready: Callable[[], None]) -> None:
        async with asyncio.TaskGroup() as turns:
            for session_id, _ in await self._store.inbox.due(self._clock.now(), limit=1000):
                turns.create_task(self._play(session_id))
            ready()
            async for event in self._inbox:
                turns.create_task(self._play(event.session_id))

    def stop(self) -> None:
        self._inbox.close()

    async def _play(self, session_id: str) -> None:
        if session_id in self._playing:
            return
        self._playing.add(session_id)
        turn = await self._store.inbox.begin(session_id, self._clock.now(), alone=True)
        if turn is None:
            return
        event, job = turn.event, str(turn.event.source)
        if job in self._jobs:
            self._problems.append(f"two turns of {job} ran at once")
        self._jobs.add(job)
        await asyncio.sleep(self._rng.choice((0.1, 1.0, 20.0)))
        self._jobs.discard(job)
        conclusion = Conclusion(turn=turn, outcome="done", messages=[], outbound=[], at=self._clock.now())
        await self._store.turns.finish(conclusion)
        await self._bus.publish(
            TurnFinished(session_id=session_id, source=event.source, cause_id=event.id, agent_id="echo", outcome="done")
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How a life ends: after so many steps, or changes of the disk, or in peace; and by how much its clock is set."""

    steps: int | None = None
    changes: int | None = None
    set_by: float = 0.0
    last: bool = False


def tell(seed: int, books: Books = SqliteJobBook) -> list[str]:
    """Tell the story of `seed`; return what is wrong with its end."""
    rng = Random(seed)
    image, now, problems = fresh(), 0.0, list[str]()
    clock = SetClock()
    fates = [_fate(rng) for _ in range(rng.randint(1, 4))]
    for fate in [*fates, Fate(last=True)]:
        image, now = _live(image, now, fate, Random(rng.random()), (clock, problems, books))
        now += rng.choice((0.0, 5.0, 300.0))
    with opened(Disk(image)) as connection:
        problems += complaints(connection, set_back=any(fate.set_by < 0 for fate in fates))
    return [f"seed {seed}: {words}" for words in problems]


def _fate(rng: Random) -> Fate:
    set_by = rng.choice((0.0, 0.0, 0.0, 500.0, -200.0))
    match rng.choice(("steps", "changes", "peace")):
        case "steps":
            return Fate(steps=rng.randint(1, 900), set_by=set_by)
        case "changes":
            return Fate(changes=rng.randint(1, 400), set_by=set_by)
        case _:
            return Fate(set_by=set_by)


def _live(
    image: Image, now: float, fate: Fate, rng: Random, rest: tuple[SetClock, list[str], Books]
) -> tuple[Image, float]:
    loop = SimLoop(Random(rng.random()), now=now, crash_after=fate.steps)
    changes, cut = 0, list[Image]()

    def record(op: object) -> None:
        nonlocal changes
        changes += 1
        if changes == fate.changes:
            cut.append(disk.image(rng))
            loop.crash_after = loop.steps

    disk = Disk(image, record=record)
    resources = ExitStack()
    try:
        connection = resources.enter_context(opened(disk))
        loop.run_until_complete(_work(connection, fate, rng, *rest))
    except Crash:
        left = cut[0] if cut else disk.kept()
    else:
        resources.close()
        left = disk.kept()
    time = loop.time()
    loop.bury()
    resources.close()
    return left, time


async def _work(
    connection: sqlite3.Connection, fate: Fate, rng: Random, clock: SetClock, problems: list[str], books: Books
) -> None:
    database = SimDatabase(connection, rng, slowest=rng.choice((0.02, 0.3)))
    store = SqliteStore.over(database)
    bus, stop, book = EventBus(), asyncio.Event(), books(database)
    roster = Few([replace(job, enabled=not fate.last) for job in JOBS])
    shell = Tool(name="bash", description="", input_schema={}, run=_shell(rng))
    terms = Terms(agents=roster, gates=Gates(shell, {}), places=Nowhere(), queue_limit=20)
    scheduler = CronWorker(
        bus=bus,
        book=book,
        rosters=[roster],
        starter=Starter(bus=bus, book=book, clock=clock, terms=terms),
        requests=RequestFolder(Path("/nowhere")),
        clock=clock,
    )
    running = asyncio.create_task(
        supervise([Performer(bus, store, clock, rng, problems), scheduler], stop, grace=100.0, in_all=200.0)
    )
    await asyncio.sleep(LIFE / 2)
    clock.ahead += fate.set_by
    await asyncio.sleep(LIFE / 2)
    while fate.last and connection.execute(QUIET).fetchone()[0]:  # noqa: ASYNC110  (looking from outside)
        await asyncio.sleep(20.0)
    stop.set()
    await running


def _shell(rng: Random) -> Callable[[ToolContext, Mapping[str, Any]], Any]:
    async def run(context: ToolContext, given: Mapping[str, Any]) -> str:
        await asyncio.sleep(rng.uniform(0.0, 4.0))
        mark = given["command"].split()[-2]
        return f"seen\n{mark} {rng.choice((0, 0, 1))}\n"

    return run


def complaints(connection: sqlite3.Connection, *, set_back: bool) -> Iterator[str]:
    """Find instants without an end, without their message or with two, and messages without an instant."""
    for job, wall, stage, event, state in connection.execute(
        "SELECT job, wall, stage, event, inbox.state FROM instants LEFT JOIN inbox ON inbox.seq = event"
    ):
        if stage in {"waiting", "gating"}:
            yield f"{job} {wall} came to no end"
        if (stage in {"fired", "late"}) is not (event is not None and state == "done"):
            yield f"{job} {wall} is {stage}, and its message is {state}"
    for (key,) in connection.execute(
        "SELECT key FROM inbox WHERE (SELECT count(*) FROM instants WHERE event = inbox.seq AND key = job || '@' || wall) <> 1"
    ):
        yield f"the message {key} has not one instant"
    once = connection.execute("SELECT count(*) FROM instants WHERE job = 'cron:once' AND event NOT NULL").fetchone()[0]
    if once > 1:
        yield f"what is begun once was begun {once} times"
    ticks = [
        at // 1_000_000 for (at,) in connection.execute("SELECT at FROM instants WHERE job = 'cron:tick' ORDER BY at")
    ]
    if not set_back and ticks != list(range(ticks[0], ticks[-1] + 1, TICK) if ticks else []):
        yield f"instants are missing: {ticks}"
