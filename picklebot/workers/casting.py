"""Who plays a turn: the agent's file, its tools, its models, its prompt and its limits, put together.

Promises that a turn sees one version of its agent from beginning to end. Knows no queue and no SQL.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import tzinfo
from typing import Protocol

from picklebot.agent.asking import Asker, Candidate
from picklebot.agent.calls import CallRunner, Listener
from picklebot.agent.money import Known, Money, Price
from picklebot.agent.policy import check_consent, permitted
from picklebot.agent.prompt import Layers, opening, system_prompt, with_skill
from picklebot.agent.purses import Purses
from picklebot.agent.runner import AgentRunner, TurnLimits
from picklebot.channels.base import Channel
from picklebot.channels.split import split
from picklebot.clock import Clock
from picklebot.core.events import InboundEvent, OutboundEvent
from picklebot.core.journal import Journal
from picklebot.core.messages import Message
from picklebot.definitions.agents import AgentSpec, ModelChoice
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.errors import NotFound
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.jobs.heartbeat import STEPS, audible
from picklebot.models.base import ModelRequest, ToolSchema
from picklebot.store.base import Joining, Turn
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.skills import NAME as USE_SKILL
from picklebot.tools.toolset import Toolset
from picklebot.workers.company import Company, Queue, joining_in
from picklebot.workers.destinations import LastPlace, Nowhere, destination
from picklebot.workers.transcripts import Conversation


class Agents(Protocol):
    """Finds agents by id, in their version of this moment."""

    def get_agent(self, agent_id: str) -> AgentSpec:
        """Return an agent.

        Raises:
            NotFound: with the nearest id.
        """
        ...


class Models(Protocol):
    """Finds the models that an agent may be played by, the first choice first."""

    def candidates(self, choice: ModelChoice) -> Sequence[Candidate]:
        """Return at least one.

        Raises:
            ConfigError: the choice names a provider that is not configured.
        """
        ...


class SkillRack(Protocol):
    """Knows the skills that an agent may use."""

    def has_any(self, agent: AgentSpec) -> bool:
        """Return whether the agent may use any skill."""
        ...

    def catalogue(self, agent: AgentSpec) -> str:
        """Return a line for each skill that the agent's model may choose; "" if there is none."""
        ...

    async def invoked(self, agent: AgentSpec, content: str) -> str:
        """Return the text of the skill that a message begins with, as `$name`; "" if it begins otherwise."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is the same for every turn. `variables` fill `{{name}}` in prompts."""

    zone: tzinfo
    bootstrap: Bootstrap
    skills: SkillRack
    limits: TurnLimits
    max_tokens: int
    effort: str | None = None
    rules: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tool name -> allow, ask, ask-unsandboxed or deny."""
    allow_off: bool = False
    variables: Mapping[str, str]
    channels: Mapping[str, Channel] = field(default_factory=dict[str, Channel])
    price: Price = lambda model, usage: None
    places: LastPlace = field(default_factory=Nowhere)
    refuse_unpriced: bool = False
    """Whether a paid model without a known price is not asked."""
    heartbeat_usd: float = math.inf
    """What one look of a heartbeat may cost."""
    clock: Clock


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

    async def cast(
        self, turn: Turn, conversation: Conversation, journal: Journal, listener: Listener
    ) -> tuple[AgentRunner, TurnLimits]:
        """Return the runner of `turn` and its limits.

        Raises:
            NotFound: the agent is gone.
            ConfigError: its model is not configured.
        """
        spec = self._agents.get_agent(turn.event.agent_id)
        candidates = self._models.candidates(spec.model)
        check_consent(spec.id, spec.sandbox, allow_off=self._stage.allow_off)
        chosen = self._tools().select(spec.tools, spec.disallowed_tools)
        chosen = with_skills(chosen, self._tools(), spec, wanted=self._stage.skills.has_any(spec))
        tools = {tool.name: tool for tool in permitted(chosen, self._stage.rules, spec.sandbox)}
        offered = {name: tool for name, tool in tools.items() if _offered(tool, turn.event)}
        request = self._request(spec, conversation.messages, offered)
        calls = CallRunner(
            tools=tools,
            journal=journal,
            listener=listener,
            clock=self._stage.clock,
            context=lambda key: _context(turn, key),
        )
        limits = self._limits(spec, turn.event)
        purses = self._purses.open(
            turn.id,
            source=turn.event.source,
            agent_id=spec.id,
            turn_usd=limits.usd,
            agent_day_usd=spec.budget.day_usd,
        )
        runner = AgentRunner(
            request,
            turn.opening or Company(turn).opening(await self._opening(spec, turn.event)),
            asker=self._asker,
            candidates=candidates,
            calls=calls,
            money=Money(
                purses,
                price=self._stage.price,
                candidates=candidates,
                known=Known(len(conversation.messages), conversation.tokens),
                refuse_unpriced=self._stage.refuse_unpriced,
            ),
        )
        return runner, limits

    async def replies(
        self, event: InboundEvent, text: str, *, error: str | None = None, also: tuple[str, ...] = ()
    ) -> list[OutboundEvent]:
        """Return the outbound events that carry `text` to where the reply to `event` goes, one a part; maybe none.

        `also` are the ids of other messages that they answer.
        """
        if event.source.channel == HEARTBEAT:
            text = audible(text)
        to = await destination(event, self._stage.places)
        if to is None or (event.source.channel == HEARTBEAT and not text):
            return []
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

    async def _opening(self, spec: AgentSpec, event: InboundEvent) -> Message:
        channel = self._stage.channels.get(event.source.channel)
        message = opening(
            event.content,
            source=event.source,
            session_id=event.session_id,
            at=event.created_at,
            zone=self._stage.zone,
            hint=channel.hint if channel else "",
        )
        skill = await self._stage.skills.invoked(spec, event.content)
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

    def _limits(self, spec: AgentSpec, event: InboundEvent) -> TurnLimits:
        default, own = self._stage.limits, spec.budget
        if event.source.channel == HEARTBEAT:
            usd, steps = min(default.usd, self._stage.heartbeat_usd), min(default.steps, STEPS)
            default = replace(default, steps=steps, usd=usd)
        return TurnLimits(
            steps=min(own.turn_steps or default.steps, default.steps),
            seconds=min(own.turn_seconds or default.seconds, default.seconds),
            usd=default.usd if own.turn_usd is None else min(own.turn_usd, default.usd),
        )


def with_skills(chosen: Sequence[Tool], every: Toolset, spec: AgentSpec, *, wanted: bool) -> list[Tool]:
    """Return `chosen` with use_skill exactly if the agent has skills: its `skills` speak for it, and not its `tools`."""
    others = [tool for tool in chosen if tool.name != USE_SKILL]
    return [*others, *every.select([USE_SKILL], spec.disallowed_tools)] if wanted else others


def _offered(tool: Tool, event: InboundEvent) -> bool:
    return tool.channels is None or event.source.channel in tool.channels


def _context(turn: Turn, key: str) -> ToolContext:
    event = turn.event
    return ToolContext(
        session_id=event.session_id,
        agent_id=event.agent_id,
        source=event.source,
        key=f"{event.id}:{key}",
        cause_id=event.id,
        deliver=event.deliver,
    )
