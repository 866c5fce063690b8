"""Who plays a turn: the agent's file, its tools, its models, its prompt and its limits, put together.

Promises that a turn sees one version of its agent from beginning to end. Knows no queue and no SQL.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from picklebot.agent.asking import Asker, Parked
from picklebot.agent.calls import CallRunner, Listener
from picklebot.agent.money import Known, Money
from picklebot.agent.policy import Policy, check_consent
from picklebot.agent.prompt import Layers, opening, system_prompt, with_skill
from picklebot.agent.purses import Purses, TurnPurses
from picklebot.agent.runner import AgentRunner, TurnLimits
from picklebot.channels.split import split
from picklebot.core.events import DispatchEvent, InboundEvent, OutboundEvent, Reply, TurnEvent
from picklebot.core.journal import Journal
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import Message
from picklebot.core.rights import Rights, Sandbox
from picklebot.definitions.agents import AgentSpec
from picklebot.errors import NotFound
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.jobs.heartbeat import STEPS, audible
from picklebot.models.base import ModelRequest, ToolSchema
from picklebot.store.base import Joining, Turn
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.skills import NAME as USE_SKILL
from picklebot.tools.toolset import Toolset
from picklebot.workers.company import Company, Queue, joining_in
from picklebot.workers.destinations import destination
from picklebot.workers.family import Family, Member
from picklebot.workers.inheritance import handed_down, result_of, rights_of, within
from picklebot.workers.marking import marks_of
from picklebot.workers.mentions import signed, unaddressed
from picklebot.workers.permission import consent_by, policy_of
from picklebot.workers.stage import Agents, Models, Stage
from picklebot.workers.transcripts import Conversation


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

    @property
    def family(self) -> Family:
        """The turns in hand."""
        return self._stage.family

    async def cast(
        self, turn: Turn, conversation: Conversation, journal: Journal, listener: Listener
    ) -> tuple[AgentRunner, TurnLimits]:
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
        candidates = self._models.candidates(spec.model)
        check_consent(spec.id, spec.sandbox, allow_off=self._stage.allow_off)
        policy = policy_of(spec, event, self._stage, self._tools())
        tools = self._equipment(spec, event, policy)
        offered = {name: tool for name, tool in tools.items() if _offered(tool, event)}
        limits = self._limits(spec, event)
        ends = asyncio.get_running_loop().time() + limits.seconds  # the clock by which asyncio.timeout goes
        self.family.enter(
            Member(
                event=event,
                attempts=turn.attempts,
                tools=[*tools],
                sandbox=spec.sandbox,
                steps=limits.steps,
                ends=ends,
                asking=[name for name in tools if policy.asks(name)],
            )
        )
        request = self._request(spec, conversation.messages, offered)
        calls = CallRunner(
            tools=tools,
            journal=journal,
            listener=listener,
            clock=self._stage.clock,
            context=lambda key: _context(turn, key, spec.sandbox),
            consent=consent_by(policy, self._stage.consent),
            marks=marks_of(event, conversation.messages, self._tools().tools),
        )
        runner = AgentRunner(
            request,
            turn.opening or Company(turn).opening(await self._opening(spec, turn.event)),
            asker=self._asker,
            candidates=candidates,
            calls=calls,
            money=Money(
                self._purse(spec, event, limits, spent_below),
                price=self._stage.price,
                candidates=candidates,
                known=Known(len(conversation.messages), conversation.tokens),
                refuse_unpriced=self._stage.refuse_unpriced,
            ),
        )
        return runner, limits

    def _equipment(self, spec: AgentSpec, event: TurnEvent, policy: Policy) -> dict[str, Tool]:
        """Return the tools that the agent may use in this turn, by name."""
        chosen = self._tools().select(spec.tools, spec.disallowed_tools)
        chosen = with_skills(chosen, self._tools(), spec, wanted=self._stage.skills.has_any(spec))
        return handed_down(policy.permitted(chosen), rights_of(event), spec, self._stage.roster())

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
        if isinstance(event, DispatchEvent):
            return [result_of(event, text, error=error, at=self._stage.clock.now(), marks=marks)]
        if event.source.channel == HEARTBEAT:
            text = audible(text)
        to = await destination(event, self._stage.places)
        if to is None or (event.source.channel == HEARTBEAT and not text):
            return []
        text = signed(event, text)
        channel = self._stage.channels.get(to.channel)
        return [
            OutboundEvent(
                session_id=event.session_id,
                source=event.source,
                to=to,
                cause_id=event.id,
                content=content,
                error=error,
                part=part,
                also=also,
                created_at=self._stage.clock.now(),
            )
            for part, content in enumerate(split(text, channel.max_length if channel else None))
        ]

    async def answered(self, parked: Parked) -> TurnEvent | None:
        """Return the turn that may go on at once, because what it waited for came while it was put off."""
        return await self._stage.consent.answered(parked)

    def concurrency(self, agent_id: str) -> int:
        """Return how many turns an agent may take at once; an agent that is gone may take one, to say so."""
        try:
            return self._agents.get_agent(agent_id).max_concurrency
        except NotFound:
            return 1

    def queue(self, agent_id: str) -> Queue:
        """Return what is to become of messages that come while a turn of this agent runs."""
        try:
            return self._agents.get_agent(agent_id).queue
        except NotFound:
            return "followup"

    @property
    def joining(self) -> Joining:
        """Which messages may join a turn, where its agent lets them."""
        return joining_in(self._stage.zone)

    async def _opening(self, spec: AgentSpec, event: TurnEvent) -> Message:
        channel = self._stage.channels.get(event.source.channel)
        content = unaddressed(event)
        message = opening(
            content,
            source=event.source,
            session_id=event.session_id,
            at=event.created_at,
            zone=self._stage.zone,
            hint=channel.hint if channel else "",
        )
        skill = await self._stage.skills.invoked(spec, content)
        return with_skill(message, skill) if skill else message

    def _request(self, spec: AgentSpec, history: Sequence[Message], tools: Mapping[str, Tool]) -> ModelRequest:
        layers = Layers(
            identity=spec.prompt,
            soul=spec.soul,
            bootstrap=self._stage.bootstrap.sections,
            skills=self._stage.skills.catalogue(spec) if USE_SKILL in tools else "",
        )
        variables = {**self._stage.variables, "agent": spec.id, "name": spec.name}
        return ModelRequest(
            system=system_prompt(layers, variables),
            messages=history,
            tools=[
                ToolSchema(name=tool.name, description=tool.description, input_schema=tool.input_schema)
                for _, tool in sorted(tools.items())
            ],
            max_tokens=spec.model.max_tokens or self._stage.max_tokens,
            effort=spec.model.effort or self._stage.effort,
        )

    def _limits(self, spec: AgentSpec, event: TurnEvent) -> TurnLimits:
        default, own = self._stage.limits, spec.budget
        if event.source.channel == HEARTBEAT:
            usd, steps = min(default.usd, self._stage.heartbeat_usd), min(default.steps, STEPS)
            default = replace(default, steps=steps, usd=usd)
        left = rights_of(event) or Rights(steps=default.steps, seconds=default.seconds)
        return TurnLimits(
            steps=min(own.turn_steps or default.steps, default.steps, left.steps),
            seconds=min(own.turn_seconds or default.seconds, default.seconds, left.seconds),
            usd=default.usd if own.turn_usd is None else min(own.turn_usd, default.usd),
        )


def with_skills(chosen: Sequence[Tool], every: Toolset, spec: AgentSpec, *, wanted: bool) -> list[Tool]:
    """Return `chosen` with use_skill exactly if the agent has skills: its `skills` speak for it, and not its `tools`."""
    others = [tool for tool in chosen if tool.name != USE_SKILL]
    return [*others, *every.select([USE_SKILL], spec.disallowed_tools)] if wanted else others


def _offered(tool: Tool, event: TurnEvent) -> bool:
    return tool.channels is None or event.source.channel in tool.channels


def _context(turn: Turn, key: str, sandbox: Sandbox) -> ToolContext:
    event = turn.event
    return ToolContext(
        session_id=event.session_id,
        agent_id=event.agent_id,
        source=event.source,
        key=f"{event.id}:{key}",
        cause_id=event.id,
        deliver=event.deliver if isinstance(event, InboundEvent) else None,
        step=int(key.partition(":")[0]),
        sandbox=sandbox,
    )
