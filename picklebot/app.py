"""The composition root: from settings to a daemon that runs. The only importer of adapters, with `wiring`.

Promises that what it opens it closes, in reverse, whatever happens in between. Nothing receives an `App` but the
program's outermost edge.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from picklebot.agent.asking import Asker, RetryBudget
from picklebot.agent.budget import DayBudget
from picklebot.agent.gate import TurnGate
from picklebot.agent.routing import Binding, RoutingTable
from picklebot.channels.base import Channel
from picklebot.clock import Clock, SystemClock
from picklebot.config import Config
from picklebot.core.bus import EventBus
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.definitions.library import Library
from picklebot.definitions.watch import watch
from picklebot.errors import ConfigError
from picklebot.lock import Holder, hold
from picklebot.store.sqlite import SqliteStore, open_store
from picklebot.supervisor import supervise
from picklebot.wiring.channels import create_channels
from picklebot.wiring.models import ModelCabinet
from picklebot.wiring.stage import database_of, now_in, stage_for
from picklebot.wiring.tools import open_tools
from picklebot.wiring.why import surroundings_of
from picklebot.workers.agent import AgentWorker
from picklebot.workers.base import Worker
from picklebot.workers.casting import Casting, Models
from picklebot.workers.channel import ChannelWorker, Door
from picklebot.workers.commands import Commands
from picklebot.workers.definitions import DefinitionWorker
from picklebot.workers.delivery import DeliveryWorker, RetryPolicy
from picklebot.workers.guard import StoreGuard
from picklebot.workers.session_commands import SessionCommands
from picklebot.workers.transcripts import Transcripts
from picklebot.workers.turn import TurnTaker
from picklebot.workers.why_command import WhyCommand

GRACE = 10.0  #: seconds each worker gets to drain


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A daemon, put together and not yet running."""

    config: Config
    bus: EventBus
    store: SqliteStore
    library: Library
    commands: Commands
    taker: TurnTaker
    notices: Sequence[str]
    """What a user should read at the start."""
    workers: Sequence[Worker]
    definitions: DefinitionWorker

    async def run(self, stop: asyncio.Event, *, ready: Callable[[], None] = lambda: None, grace: float = GRACE) -> None:
        """Run until `stop` is set. A worker that fails takes everything down.

        Raises:
            ExceptionGroup: a worker failed.
        """
        await supervise(self.workers, stop, grace=grace, ready=ready)


@asynccontextmanager
async def open_app(
    config: Config,
    *,
    channels: Sequence[Channel] = (),
    clock: Clock | None = None,
    models: Models | None = None,
    role: str = "server",
) -> AsyncGenerator[App, None]:
    """Open everything that `config` names, with `channels` beside, for as long as the block lasts.

    `clock` and `models` stand in for the real ones in tests.

    Raises:
        AlreadyRunning: another process holds the workspace.
        ConfigError: something that `config` names cannot be made.
        StoreError: the database cannot be used.
    """
    clock = clock or SystemClock()
    workspace = config.workspace
    workspace.prepare()
    started = clock.now().isoformat(timespec="seconds")
    async with AsyncExitStack() as stack:
        stack.enter_context(hold(workspace.lock_file, workspace.daemon_file, Holder(os.getpid(), role, started)))
        if workspace.restoring.exists():
            raise ConfigError(f"a restore of {workspace.root} was cut short: run `picklebot restore FILE` again first")
        guard = StoreGuard()
        cabinet = ModelCabinet(config, one_at_a_time=role == "ask")
        if models is None:
            await stack.enter_async_context(cabinet)
        store = await stack.enter_async_context(
            open_store(database_of(config), on_broken=guard.broken, ballast=role == "server")
        )
        toolset = await stack.enter_async_context(open_tools(config, clock))
        library, bootstrap = Library(workspace.root), Bootstrap(workspace.root)
        await asyncio.to_thread(library.scan)
        await asyncio.to_thread(bootstrap.refresh)
        bus = EventBus()
        configured = create_channels(config) if role == "server" else ()
        by_name = {channel.name: channel for channel in (*channels, *configured)}
        local_now = now_in(config, clock)
        casting = Casting(
            agents=library,
            models=models or cabinet,
            tools=lambda: toolset,
            asker=Asker(clock=clock, budget=RetryBudget()),
            day=DayBudget(
                config.limits.day_usd, today=lambda: local_now().date(), spent=await spent_today(store, local_now())
            ),
            stage=stage_for(config, clock, bootstrap, by_name),
        )
        taker = TurnTaker(
            bus=bus,
            inbox=store.inbox,
            turns=store.turns,
            transcripts=Transcripts(store.sessions),
            casting=casting,
            clock=clock,
        )
        routing = RoutingTable(
            [Binding(b.source, b.agent) for b in config.routing.bindings], default=config.default_agent
        )
        session_commands = SessionCommands(
            library=library,
            sessions=store.sessions,
            ledger=store.ledger,
            routing=routing,
            stop=taker.stop,
            now=local_now,
        )
        why = WhyCommand(chains=store.chains, around=lambda: surroundings_of(config, library, clock, runs=True))
        commands = Commands({**session_commands.table(), **why.table()})
        definitions = DefinitionWorker(
            bus=bus, library=library, bootstrap=bootstrap, hints=lambda: watch(workspace.root, clock=clock)
        )
        door = Door(routing=routing, agents=library, queue_limit=config.limits.queue_per_session)
        workers: list[Worker] = [
            guard,
            DeliveryWorker(bus=bus, outbox=store.outbox, channels=by_name, clock=clock, policy=_policy(config)),
            AgentWorker(
                bus=bus,
                inbox=store.inbox,
                gate=TurnGate(ceiling=config.limits.max_concurrency),
                taker=taker,
                concurrency=casting.concurrency,
                clock=clock,
            ),
            definitions,
            ChannelWorker(bus=bus, inbox=store.inbox, channels=by_name, door=door, commands=commands, clock=clock),
        ]
        yield App(
            config=config,
            bus=bus,
            store=store,
            library=library,
            commands=commands,
            taker=taker,
            notices=[*config.warnings, *(cabinet.notices if models is None else ()), *_job_notices(library, role)],
            workers=workers,
            definitions=definitions,
        )


async def spent_today(store: SqliteStore, now: datetime) -> float:
    """Return what model calls have cost since midnight where `now` is told, in USD."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    return sum(row.cost_usd for row in await store.ledger.spend("day", since=midnight))


def _job_notices(library: Library, role: str) -> list[str]:
    jobs = [spec.id for spec in library.crons.values() if spec.enabled]
    if not jobs or role != "server":
        return []
    return [f"{len(jobs)} jobs are enabled ({', '.join(sorted(jobs)[:5])}), and this version runs no jobs yet."]


def _policy(config: Config) -> RetryPolicy:
    delivery = config.delivery
    return RetryPolicy(retry_for=delivery.retry_for, first_delay=delivery.first_delay, max_delay=delivery.max_delay)
