"""Who plays a turn: the agent's file, its tools, its models, its prompt and its limits, put together.

Promises that a turn sees one version of its agent from beginning to end. Knows no queue and no SQL.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from picklebot.agent.asking import Asker, Candidate, Parked
from picklebot.agent.calls import CallRunner, Listener
from picklebot.agent.context import Room
from picklebot.agent.conversation import Conversation
from picklebot.agent.money import Money
from picklebot.agent.paid_model import PaidModel
from picklebot.agent.policy import Policy, check_consent
from picklebot.agent.purses import Purses, TurnPurses
from picklebot.agent.runner import AgentRunner, TurnLimits
from picklebot.core.events import InboundEvent, Reply, TurnEvent
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.definitions.agents import AgentSpec
from picklebot.errors import NotFound, TurnError
from picklebot.store.base import Joining, Session, Turn
from picklebot.tools.base import Tool
from picklebot.tools.deferring import Kit, deferred
from picklebot.tools.skills import NAME as USE_SKILL
from picklebot.tools.toolset import Toolset
from picklebot.workers.company import Company, Queue, joining_in
from picklebot.workers.context_command import Prompt
from picklebot.workers.equipment import completed, context_of, offered
from picklebot.workers.family import Family, Member
from picklebot.workers.inheritance import handed_down, rights_of, within
from picklebot.workers.limits import limits_of
from picklebot.workers.marking import marks_beside, marks_of, marks_shown
from picklebot.workers.permission import consent_by, policy_of
from picklebot.workers.playing import Runner
from picklebot.workers.prompting import opening, request_of, said
from picklebot.workers.replying import replies
from picklebot.workers.stage import Agents, Loops, Models, Stage
from picklebot.workers.turn_notes import TurnJournal
from picklebot.workers.upkeep import Cast, Upkeep, order_of


@dataclass(frozen=True, slots=True)
class _Means:
    """What an agent may do in a turn, and how much of it its model is shown."""

    policy: Policy
    tools: Mapping[str, Tool]
    deferred: Kit


class Casting:
    """Puts a turn's players together."""

    def __init__(
        self,
        *,
        agents: Agents,
        models: Models,
        tools: Callable[[], Toolset],
        asker: Asker,
        purses: Purses,
        stage: Stage,
    ) -> None:
        self._agents = agents
        self._models = models
        self._tools = tools
        self._asker = asker
        self._purses = purses
        self._stage = stage
        self._upkeep = Upkeep(stage.compactions, share=stage.compact_at, clock=stage.clock)

    @property
    def family(self) -> Family:
        """The turns in hand."""
        return self._stage.family

    @property
    def loops(self) -> Loops:
        """Who sees that no two programs keep each other talking."""
        return self._stage.loops

    async def cast(
        self, turn: Turn, conversation: Conversation, journal: TurnJournal, listener: Listener
    ) -> tuple[Runner, TurnLimits]:
        """Return the runner of `turn` and its limits.

        Raises:
            NotFound: the agent is gone.
            ConfigError: its model is not configured.
            TurnError: nobody waits for its answer any more.
            PutBack: who waits for its answer is not in hand yet.
        """
        event = turn.event
        spec = within(self._agents.get_agent(event.agent_id), rights_of(event))
        spent_below = await self.family.look_back(turn)
        if spec.runner is not None:
            return self._cast_external(spec, turn, journal)
        check_consent(spec.id, spec.sandbox, allow_off=self._stage.allow_off)
        candidates = self._models.candidates(spec.model)
        means, limits = self._means(spec, event), limits_of(self._stage, spec, event)
        self._enter(
            spec, turn, limits, tools=[*means.tools], asking=[name for name in means.tools if means.policy.asks(name)]
        )
        calls = self._calls(spec, turn, conversation, means, journal=journal, listener=listener)
        purses = self._purse(spec, event, limits, spent_below)
        cast = Cast(
            turn=turn,
            agent_name=spec.name,
            conversation=conversation,
            request=request_of(self._stage, spec, conversation.messages, means.deferred.shown, event.source),
            model=self._model(turn, candidates, purses),
            calls=calls,
        )
        if (keep := order_of(event)) is not None:
            return self._upkeep.runner(cast, keep), limits
        first = turn.opening or Company(turn).opening(await opening(self._stage, spec, cast))
        calls.marks |= marks_beside([first])
        context = self._upkeep.context(cast)
        return AgentRunner(cast.request, first, model=cast.model, calls=calls, context=context), limits

    def _means(self, spec: AgentSpec, event: TurnEvent) -> _Means:
        policy = policy_of(spec, event, self._stage, self._tools())
        tools = self._equipment(spec, event, policy)
        shown = {name: tool for name, tool in tools.items() if offered(tool, event)}
        return _Means(policy, tools, deferred(shown, above=self._stage.defer_above))

    def _calls(
        self,
        spec: AgentSpec,
        turn: Turn,
        conversation: Conversation,
        means: _Means,
        *,
        journal: TurnJournal,
        listener: Listener,
    ) -> CallRunner:
        stage = self._stage
        return CallRunner(
            tools={**means.tools, **means.deferred.every},
            meant=means.deferred.meant,
            journal=journal,
            listener=listener,
            clock=stage.clock,
            context=lambda key: context_of(turn, key, spec.sandbox),
            redact=stage.redact,
            consent=consent_by(means.policy, stage.consent),
            marks=marks_of(turn.event, conversation, self._tools().tools, is_owner=stage.guests.is_owner)
            | marks_shown(means.deferred.every.values()),
        )

    def _cast_external(self, spec: AgentSpec, turn: Turn, journal: TurnJournal) -> tuple[Runner, TurnLimits]:
        limits = limits_of(self._stage, spec, turn.event)
        check_consent(spec.id, spec.sandbox, allow_off=self._stage.allow_off)
        if order_of(turn.event) is not None:
            raise TurnError(f"{spec.id} is an external program, and keeps its conversation itself")
        self._enter(spec, turn, limits)
        first = turn.opening or Company(turn).opening(said(self._stage, turn.event))
        return self._stage.externals.runner(spec, turn, first, journal), limits

    def _enter(
        self, spec: AgentSpec, turn: Turn, limits: TurnLimits, *, tools: Sequence[str] = (), asking: Sequence[str] = ()
    ) -> None:
        """Take the turn in hand, for those whom it calls."""
        self.family.enter(
            Member(
                event=turn.event,
                attempts=turn.attempts,
                tools=tools,
                sandbox=spec.sandbox,
                steps=limits.steps,
                ends=asyncio.get_running_loop().time() + limits.seconds,  # the clock by which asyncio.timeout goes
                asking=asking,
            )
        )

    def _model(self, turn: Turn, candidates: Sequence[Candidate], purses: TurnPurses) -> PaidModel:
        stage = self._stage
        money = Money(purses, price=stage.price, candidates=candidates, refuse_unpriced=stage.refuse_unpriced)
        return PaidModel(self._asker, candidates, money, count=partial(self._upkeep.count, turn))

    def _equipment(self, spec: AgentSpec, event: TurnEvent, policy: Policy) -> dict[str, Tool]:
        """Return the tools that the agent may use in this turn, by name."""
        chosen = self._tools().select(spec.tools, spec.disallowed_tools)
        chosen = completed(chosen, self._tools(), spec, skilled=self._stage.skills.has_any(spec))
        allowed = policy.permitted(self._stage.guests.equip(event.source, chosen))
        return handed_down(allowed, rights_of(event), spec, self._stage.roster())

    def _purse(self, spec: AgentSpec, event: TurnEvent, limits: TurnLimits, spent_below: float) -> TurnPurses:
        """Return what the turn pays from; `spent_below` is what the tasks that it gave have cost before a restart."""
        purses = self._purses.open(
            event.id,
            source=event.source,
            agent_id=spec.id,
            turn_usd=limits.usd,
            agent_day_usd=spec.budget.day_usd,
            callers=self.family.above(event),
        )
        purses.own.count(spent_below)
        return purses

    async def replies(
        self,
        event: TurnEvent,
        text: str,
        *,
        error: str | None = None,
        also: tuple[str, ...] = (),
        marks: Marks = NO_MARKS,
    ) -> Sequence[Reply]:
        """Return the events that carry `text` to where the reply to `event` goes: to people one a part, maybe none.

        `also` are the ids of other messages that they answer, `marks` what was read for it.
        """
        return await replies(self._stage, event, text, error=error, also=also, marks=marks)

    async def answered(self, parked: Parked) -> TurnEvent | None:
        """Return the turn that may go on at once, because what it waited for came while it was put off."""
        return await self._stage.consent.answered(parked)

    def prompt(self, session: Session) -> Prompt:
        """Return what stands around a session's conversation.

        Raises:
            NotFound: the agent is gone, or a program of somebody else's.
            ConfigError: its model is not configured.
        """
        spec = self._agents.get_agent(session.agent_id)
        if spec.runner is not None:
            raise NotFound(f"{spec.id} is an external program: what it knows of the conversation is its own affair")
        event = InboundEvent(session_id=session.id, source=session.source, agent_id=spec.id, content="", key="")
        [first, *_] = self._models.candidates(spec.model)
        shown = self._means(spec, event).deferred.shown
        request = request_of(self._stage, spec, (), shown, session.source)
        return Prompt(
            request=request,
            skills=self._stage.skills.catalogue(spec) if USE_SKILL in shown else "",
            model=first.name or first.model.name,
            room=Room(window=first.window, share=self._stage.compact_at, reply=request.max_tokens),
        )

    def concurrency(self, agent_id: str) -> int:
        """Return how many turns an agent may take at once; an agent that is gone may take one, to say so."""
        try:
            return self._agents.get_agent(agent_id).max_concurrency
        except NotFound:
            return 1

    def queue(self, agent_id: str) -> Queue:
        """Return what is to become of messages that come while a turn of this agent runs."""
        try:
            spec = self._agents.get_agent(agent_id)
        except NotFound:
            return "followup"
        # A program is handed them as they come, and takes them in its own time.
        return "steer" if spec.runner is not None and spec.queue == "followup" else spec.queue

    @property
    def joining(self) -> Joining:
        """Which messages may join a turn, where its agent lets them."""
        return joining_in(self._stage.zone)
