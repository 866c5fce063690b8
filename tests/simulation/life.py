"""One life of the daemon: its workers, from the opening of the database to a stop, a kill or a power cut.

Promises the daemon's own workers, put together and supervised as `picklebot.app` does it, on the disk that the life
before left. Knows only how lives begin and end.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC
from itertools import count
from pathlib import Path
from random import Random
from typing import Literal

from picklebot.agent.asking import Asker, RetryBudget
from picklebot.agent.gate import TurnGate
from picklebot.agent.purses import Purses
from picklebot.agent.routing import RoutingTable
from picklebot.agent.runner import TurnLimits
from picklebot.core.bus import EventBus
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.definitions.library import Library
from picklebot.definitions.skill_needs import Machine
from picklebot.store.sqlite import SqliteStore
from picklebot.supervisor import supervise
from picklebot.tools.toolset import Toolset
from picklebot.workers.agent import AgentWorker
from picklebot.workers.attachments import Attachments
from picklebot.workers.base import Worker
from picklebot.workers.casting import Casting
from picklebot.workers.channel import ChannelWorker
from picklebot.workers.commands import Commands
from picklebot.workers.delivery import DeliveryWorker, RetryPolicy
from picklebot.workers.door import Door, Visitors
from picklebot.workers.orders import Orders
from picklebot.workers.pace import Pace
from picklebot.workers.pairing import Greeter
from picklebot.workers.people import People
from picklebot.workers.reception import Reception
from picklebot.workers.skills import Skills
from picklebot.workers.stage import Stage
from picklebot.workers.transcripts import Transcripts
from picklebot.workers.turn import TurnTaker
from tests.power.disk import Disk, Image, Op
from tests.power.vfs import opened
from tests.simulation.database import SimDatabase
from tests.simulation.loop import Crash, SimLoop
from tests.simulation.outside import Outside
from tests.simulation.plants import Plants
from tests.simulation.players import Cast, SimChannel, SimClock, SimModel, sim_tools

Death = Literal["stop", "kill", "kill at an effect", "power cut"]
LOOK = 20.0  #: seconds between two looks whether all is quiet
PATIENCE = 2 * 86_400.0  #: seconds in which everything must come to rest, once nothing fails any more

QUIET = """SELECT (SELECT count(*) FROM inbox WHERE state = 'open')
    + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending'))"""


class Restless(Exception):
    """Nothing fails, and still something does not come to its end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """How a life ends, if all is not quiet before.

    `after` counts seconds (stop), steps (kill), changes of the world (kill at an effect) or of the disk (power cut).
    """

    death: Death
    after: int


class Life:
    """Runs once."""

    def __init__(self, outside: Outside, image: Image, rng: Random, *, plants: Plants, now: float) -> None:
        self._outside = outside
        self._plants = plants
        self._rng = rng
        self._disk = Disk(image, record=self._count)
        self._changes = 0
        self._cut_after: int | None = None
        self._left: Image | None = None
        self._resources = ExitStack()
        self._stop: asyncio.Event
        self.loop = SimLoop(Random(rng.random()), now=now)

    def run(self, fate: Fate | None) -> Image:
        """Live, and return what is on the disk afterwards. `fate` None: until all is quiet.

        Raises:
            Restless, Stuck: it came to no end.
            ExceptionGroup: a worker failed, which takes the daemon down.
        """
        match fate:
            case Fate(death="kill"):
                self.loop.crash_after = fate.after
            case Fate(death="kill at an effect"):
                self._outside.changed = self._counted(fate.after)
            case Fate(death="power cut"):
                self._cut_after = fate.after
            case _:
                pass
        try:
            self.loop.run_until_complete(self._live(fate))
        except Crash:
            self._outside.changed = lambda: None
            return self._left if self._left is not None else self._disk.kept()
        self._resources.close()
        return self._disk.kept()

    def bury(self) -> None:
        """Let go of everything, after the last word about it is said."""
        self._cut_after = None
        self.loop.bury()
        self._resources.close()

    def _counted(self, after: int) -> Callable[[], None]:
        effects = count(1)

        def changed() -> None:
            if next(effects) == after:  # just before or just after it is written down
                self.loop.crash_after = self.loop.steps + self._rng.randint(0, 12)

        return changed

    def _count(self, op: Op) -> None:
        self._changes += 1
        if self._changes == self._cut_after:
            self._left = self._disk.image(self._rng)
            self.loop.crash_after = self.loop.steps  # this step cannot be seen from outside any more

    async def _live(self, fate: Fate | None) -> None:
        connection = self._resources.enter_context(opened(self._disk, synchronous=self._plants.synchronous))
        self._stop = asyncio.Event()
        database = SimDatabase(connection, self._rng, slowest=self._rng.choice((0.02, 0.02, 1.0)))
        store = replace(
            SqliteStore.over(database), inbox=self._plants.inbox(database), turns=self._plants.turns(database)
        )
        await store.outbox.recover()
        seconds = float(fate.after) if fate is not None and fate.death == "stop" else PATIENCE
        watching = asyncio.create_task(self._watch(connection, seconds), name="watch")
        await supervise(self._workers(store), self._stop)
        await watching
        if fate is None and not self._quiet(connection):
            raise Restless(f"after {PATIENCE:.0f} s without trouble, work is left")

    async def _watch(self, connection: sqlite3.Connection, seconds: float) -> None:
        """Stop when all is quiet, or after so many seconds."""
        end = self.loop.time() + seconds
        while self.loop.time() < end and not self._quiet(connection):  # noqa: ASYNC110  (looking from outside)
            await asyncio.sleep(min(LOOK, end - self.loop.time()))
        self._stop.set()

    def _quiet(self, connection: sqlite3.Connection) -> bool:
        return self._outside.asked and connection.execute(QUIET).fetchone()[0] == 0

    def _workers(self, store: SqliteStore) -> Sequence[Worker]:
        bus, clock, outside = EventBus(), SimClock(), self._outside
        channels = {SimChannel.name: SimChannel(outside)}
        cast = Cast(SimModel(outside), outside.queue)
        toolset = Toolset(sim_tools(outside))
        casting = Casting(
            agents=cast,
            models=cast,
            tools=lambda: toolset,
            asker=Asker(clock=clock, budget=RetryBudget(), jitter=lambda most: self._rng.uniform(0.0, most)),
            purses=Purses(100.0, now=clock.now),
            stage=Stage(
                zone=UTC,
                bootstrap=Bootstrap(Path("/nowhere")),
                skills=Skills(Library(Path("/nowhere")), root=Path("/nowhere"), machine=Machine(find=lambda _: None)),
                limits=TurnLimits(steps=10, seconds=900.0, usd=1.0),
                max_tokens=100,
                variables={},
                channels=channels,
                clock=clock,
            ),
        )
        orders = Orders(bus=bus, inbox=store.inbox, claims=store.claims, sessions=store.sessions, commands=Commands({}))
        policy = RetryPolicy(jitter=lambda most: self._rng.uniform(most / 2, most))
        agents = [self._agent_worker(bus, store, casting, clock) for _ in range(self._plants.agent_workers)]
        door = Door(
            routing=RoutingTable([], default="echo"),
            agents=cast,
            visitors=Visitors(People({}, store.pairings), Pace(clock, each=20, together=100), listed=()),
            greeter=Greeter(store.pairings, now=clock.now),
            attachments=Attachments(Path("/nowhere")),
            queue_limit=20,
        )
        reception = Reception(bus=bus, inbox=store.inbox, orders=orders, room=agents[0].room)
        return [
            DeliveryWorker(bus=bus, outbox=store.outbox, channels=channels, clock=clock, policy=policy),
            *agents,
            ChannelWorker(channels=channels, door=door, reception=reception, troubles=store.troubles, clock=clock),
        ]

    def _agent_worker(self, bus: EventBus, store: SqliteStore, casting: Casting, clock: SimClock) -> AgentWorker:
        taker = TurnTaker(
            bus=bus,
            inbox=store.inbox,
            turns=store.turns,
            transcripts=Transcripts(store.sessions, store.compactions),
            casting=casting,
            clock=clock,
        )
        return AgentWorker(
            bus=bus,
            inbox=store.inbox,
            gate=TurnGate(ceiling=2),
            taker=taker,
            concurrency=casting.concurrency,
            clock=clock,
        )
