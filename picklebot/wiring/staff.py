"""Who works in a daemon: its workers, given what they need.

Knows how the parts fit together, and nothing of how they are opened.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from picklebot.agent.asking import Asker, RetryBudget
from picklebot.agent.purses import Purses
from picklebot.agent.routing import RoutingTable
from picklebot.channels.base import Channel
from picklebot.clock import Clock, zone_named
from picklebot.config import Config
from picklebot.definitions.watch import watch
from picklebot.tools.results import create_result_tools
from picklebot.tools.toolset import Toolset
from picklebot.wiring.approvals import approvals_for, consent_for
from picklebot.wiring.delivery import create_delivery
from picklebot.wiring.dispatch import open_exchange
from picklebot.wiring.doors import FrontDesk, create_listener, guests_of, loops_of, with_pairing
from picklebot.wiring.external import open_external
from picklebot.wiring.jobs import create_scheduler
from picklebot.wiring.money import budget_commands, open_purses
from picklebot.wiring.parts import Parts
from picklebot.wiring.routing import routing_of
from picklebot.wiring.stage import now_in, stage_for
from picklebot.wiring.tasks import create_heartbeat, create_tasks, create_unasked, with_late_tools
from picklebot.wiring.terminals import open_accounts, open_desk
from picklebot.wiring.why import surroundings_of
from picklebot.workers.agent import AgentWorker
from picklebot.workers.base import Worker
from picklebot.workers.budgets import BudgetCommands
from picklebot.workers.casting import Casting
from picklebot.workers.commands import Command, Commands
from picklebot.workers.context_command import ContextCommand
from picklebot.workers.cron import CronWorker
from picklebot.workers.definitions import DefinitionWorker
from picklebot.workers.desk import Accounts, Desk
from picklebot.workers.job_commands import JobCommands
from picklebot.workers.memory import MemoryWorker
from picklebot.workers.posting import Posting
from picklebot.workers.recalling import MemoryCommand, Recollection
from picklebot.workers.route_commands import RouteCommands
from picklebot.workers.session_commands import SessionCommands
from picklebot.workers.skill_commands import SkillCommands
from picklebot.workers.stage import Stage
from picklebot.workers.steering import Steering
from picklebot.workers.transcripts import Transcripts
from picklebot.workers.turn import TurnTaker
from picklebot.workers.why_command import WhyCommand
from picklebot.workers.windows import WindowWorker


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """The workers, in the order in which they start, and those of them that are also spoken to by name."""

    workers: Sequence[Worker]
    commands: Commands
    taker: TurnTaker
    definitions: DefinitionWorker
    routing: RoutingTable
    scheduler: CronWorker | None
    """None in a process that ends with its answer."""
    desk: Desk
    accounts: Accounts


async def hire(
    config: Config, clock: Clock, parts: Parts, channels: Mapping[str, Channel], *, delivered: Mapping[str, Channel]
) -> Staff:
    """Return the staff of one daemon. `delivered` are the channels that replies are carried to."""
    hiring = _Hiring(config, clock, parts, channels)
    purses = await open_purses(config, clock, parts)
    routing = routing_of(config, await parts.store.bindings.all())
    loops = await loops_of(config, clock, parts, hiring.posting)
    casting = _casting(clock, parts, hiring.toolset(), replace(hiring.stage(), loops=loops), purses)
    transcripts = Transcripts(parts.store.sessions, parts.store.compactions)
    taker = _taker(clock, parts, casting, transcripts)
    definitions = _definitions(config, clock, parts)
    money = budget_commands(config, clock, parts, purses, loops)
    tables = (
        _commands(config, clock, parts, routing, taker),
        money.table(),
        ContextCommand(sessions=parts.store.sessions, transcripts=transcripts, prompts=casting).table(),
        MemoryCommand(parts.memories, sessions=parts.store.sessions, transcripts=transcripts).table(),
        hiring.approvals(definitions, money),
        hiring.tasks.book.table(),
    )
    commands = Commands({name: each for table in tables for name, each in table.items()}, may=hiring.guests.may_command)
    agents = _agents(clock, parts, hiring, taker, casting)
    front = FrontDesk(routing=routing, commands=commands, room=agents.room)
    return Staff(
        workers=[
            parts.guard,
            *create_delivery(config, clock, parts, delivered),
            *hiring.workers(agents, definitions),
            create_listener(config, clock, parts, channels, desk=front),
        ],
        commands=commands,
        taker=taker,
        definitions=definitions,
        routing=routing,
        scheduler=hiring.scheduler,
        desk=open_desk(config, clock, parts, commands=commands, routing=routing),
        accounts=open_accounts(clock, parts),
    )


class _Hiring:
    """What several of the staff share, opened once."""

    def __init__(self, config: Config, clock: Clock, parts: Parts, channels: Mapping[str, Channel]) -> None:
        self._config, self._clock, self._parts, self._channels = config, clock, parts, channels
        self._unasked = create_unasked(config, clock, parts, channels)
        self._external = open_external(config, clock, parts, self._unasked)
        self.exchange = open_exchange(config, clock, parts)
        self.scheduler = create_scheduler(config, clock, parts, self._unasked.places, tasks=self._unasked.roster)
        began = self.scheduler.ring if self.scheduler is not None else _nobody_begins
        self.tasks = create_tasks(config, clock, parts, changed=began)
        self.guests = guests_of(config, parts)

    @property
    def posting(self) -> Posting:
        """Who says to people what nobody asked for."""
        return self._unasked.posting

    def toolset(self) -> Toolset:
        """Return every tool, those that need what was opened here among them."""
        late = with_late_tools(self._parts, self._unasked, self.tasks).tools.values()
        return Toolset([*late, *self.exchange.tools, *create_result_tools(self._parts.store.compactions)])

    def stage(self) -> Stage:
        """Return what every turn is played on."""
        config, clock, parts = self._config, self._clock, self._parts
        places = self._unasked.places
        return replace(
            stage_for(config, clock, parts.bootstrap, skills=parts.skills, channels=self._channels, places=places),
            family=self.exchange.family,
            guests=self.guests,
            externals=self._external.agents,
            roster=self.exchange.roster,
            consent=consent_for(config, clock, parts, self._unasked),
            compactions=parts.store.compactions,
            memory=recollection_of(config, clock, parts),
        )

    def approvals(self, definitions: DefinitionWorker, money: BudgetCommands) -> Mapping[str, Command]:
        """Return the commands by which people are let in and calls are answered for."""
        config, clock, parts = self._config, self._clock, self._parts
        approvals = approvals_for(config, clock, parts, definitions, budgets=money, consent=self.tasks.consent)
        return with_pairing(config, clock, parts, approvals.table())

    def workers(self, agents: AgentWorker, definitions: DefinitionWorker) -> list[Worker]:
        """Return those between the delivery, which starts before them, and the doors, which open after them."""
        config, clock, parts = self._config, self._clock, self._parts
        heartbeat = create_heartbeat(config, clock, parts, self._unasked.places) if parts.role == "server" else None
        lasting: list[Worker] = (
            [MemoryWorker(parts.memories), WindowWorker(parts.windows)] if parts.role != "ask" else []
        )
        timed = [each for each in (self.scheduler, heartbeat) if each is not None]
        return [self._external.worker, agents, self.exchange.worker, definitions, *lasting, *timed]


def recollection_of(config: Config, clock: Clock, parts: Parts) -> Recollection | None:
    """Return what recalls notes unasked, if settings want it."""
    settings = config.memory
    if not settings.inject or not settings.max_tokens:
        return None
    return Recollection(parts.memories, tokens=settings.max_tokens, clock=clock)


def _nobody_begins(job_id: str) -> None:
    """What a scheduler would do is left to the next process that has one."""


def _taker(clock: Clock, parts: Parts, casting: Casting, transcripts: Transcripts) -> TurnTaker:
    return TurnTaker(
        bus=parts.bus,
        inbox=parts.store.inbox,
        turns=parts.store.turns,
        transcripts=transcripts,
        casting=casting,
        clock=clock,
    )


def _agents(clock: Clock, parts: Parts, hiring: _Hiring, taker: TurnTaker, casting: Casting) -> AgentWorker:
    return AgentWorker(
        bus=parts.bus,
        inbox=parts.store.inbox,
        gate=hiring.exchange.gate,
        taker=taker,
        concurrency=casting.concurrency,
        clock=clock,
    )


def _definitions(config: Config, clock: Clock, parts: Parts) -> DefinitionWorker:
    return DefinitionWorker(
        bus=parts.bus,
        library=parts.library,
        bootstrap=parts.bootstrap,
        steering=Steering(parts.store.audit, parts.library, settings=config.workspace.config_file, clock=clock),
        hints=lambda: watch(config.workspace.root, clock=clock),
    )


def _casting(clock: Clock, parts: Parts, toolset: Toolset, stage: Stage, purses: Purses) -> Casting:
    return Casting(
        agents=parts.library,
        models=parts.models,
        tools=lambda: toolset,
        asker=Asker(clock=clock, budget=RetryBudget()),
        purses=purses,
        stage=stage,
    )


def _commands(
    config: Config, clock: Clock, parts: Parts, routing: RoutingTable, taker: TurnTaker
) -> Mapping[str, Command]:
    sessions = SessionCommands(
        library=parts.library,
        sessions=parts.store.sessions,
        routing=routing,
        stop=taker.call_off,
        now=now_in(config, clock),
    )
    routes = RouteCommands(
        library=parts.library,
        sessions=parts.store.sessions,
        bindings=parts.store.bindings,
        routing=routing,
        is_owner=parts.people.is_owner,
        now=now_in(config, clock),
    )
    why = WhyCommand(
        chains=parts.store.chains,
        around=lambda: surroundings_of(config, parts.library, clock, routing=routing, runs=True),
    )
    jobs = JobCommands(
        library=parts.library, book=parts.store.jobs, now=now_in(config, clock), zone=zone_named(config.timezone)
    )
    skills = SkillCommands(skills=parts.skills, definitions=parts.library)
    return {**sessions.table(), **routes.table(), **skills.table(), **why.table(), **jobs.table()}
