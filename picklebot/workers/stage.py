"""What every turn shares: the workspace's files, the limits, the channels, and where agents, models and skills are found.

Knows no turn.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Protocol

from picklebot.agent.asking import Candidate, Parked
from picklebot.agent.conversation import Conversation
from picklebot.agent.money import Price
from picklebot.agent.policy import Need, Rule
from picklebot.agent.runner import TurnLimits
from picklebot.channels.base import Channel
from picklebot.clock import Clock
from picklebot.core.events import TurnEvent
from picklebot.core.messages import Block, Message, ToolCall
from picklebot.core.redaction import Redactor
from picklebot.definitions.agents import AgentSpec, ModelChoice
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.errors import ConfigError, ToolDenied
from picklebot.store.base import Compactions, Turn
from picklebot.tools.base import ToolContext
from picklebot.workers.destinations import LastPlace, Nowhere
from picklebot.workers.dispatch import Roster
from picklebot.workers.family import Family
from picklebot.workers.guests import Guests
from picklebot.workers.playing import Runner
from picklebot.workers.turn_notes import TurnJournal


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


class Remembering(Protocol):
    """Knows what was written down earlier."""

    async def notes(self, content: str, conversation: Conversation) -> Block | None:
        """Return what is put before the model beside a message, if anything is."""
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


class Owner(Protocol):
    """Is asked whether a call may be made."""

    async def ask(self, need: Need, call: ToolCall, context: ToolContext) -> None:
        """Return if it may. ToolDenied: it may not. Parked: nobody has said yet."""
        ...

    async def answered(self, parked: Parked) -> TurnEvent | None:
        """Return the turn that may go on, where the answer came before the turn was put off."""
        ...


class NoOwner:
    """Nobody can be asked."""

    async def ask(self, need: Need, call: ToolCall, context: ToolContext) -> None:
        """Deny it."""
        raise ToolDenied(f"{need.why}, and nobody is here who could agree")

    async def answered(self, parked: Parked) -> TurnEvent | None:
        """Return None."""
        return None


class Externals(Protocol):
    """Plays agents that are programs of somebody else's."""

    def runner(self, spec: AgentSpec, turn: Turn, opening: Message, journal: TurnJournal) -> Runner:
        """Return what plays a turn of such an agent."""
        ...


class NoExternals:
    """There are none."""

    def runner(self, spec: AgentSpec, turn: Turn, opening: Message, journal: TurnJournal) -> Runner:
        """Refuse it."""
        raise ConfigError(f"{spec.id} is an external program, and none is started here")


class Loops(Protocol):
    """Sees that no two programs keep each other talking."""

    async def admit(self, event: TurnEvent) -> None:
        """Return if the turn of `event` may begin. Parked: its conversation is stopped."""
        ...

    def answered(self, event: TurnEvent, text: str) -> None:
        """Learn how a turn ended."""
        ...


class NoLoops:
    """Nobody looks."""

    async def admit(self, event: TurnEvent) -> None:
        """Let it begin."""

    def answered(self, event: TurnEvent, text: str) -> None:
        """Forget it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What is the same for every turn. `variables` fill `{{name}}` in prompts."""

    zone: tzinfo
    bootstrap: Bootstrap
    skills: SkillRack
    limits: TurnLimits
    max_tokens: int
    effort: str | None = None
    rules: Mapping[str, Rule] = field(default_factory=dict[str, Rule])
    """Tool name -> allow, ask, ask-unsandboxed or deny."""
    allow_off: bool = False
    apart: bool = True
    """Whether shell and file tools run in a sandbox."""
    redact: Redactor = field(default_factory=Redactor)
    """Takes known secrets out of text."""
    consent: Owner = field(default_factory=NoOwner)
    variables: Mapping[str, str]
    channels: Mapping[str, Channel] = field(default_factory=dict[str, Channel])
    price: Price = lambda model, usage: None
    places: LastPlace = field(default_factory=Nowhere)
    refuse_unpriced: bool = False
    """Whether a paid model without a known price is not asked."""
    heartbeat_usd: float = math.inf
    """What one look of a heartbeat may cost."""
    family: Family = field(default_factory=Family)
    memory: Remembering | None = None
    """What is remembered beside each message; None: nothing unasked."""
    compactions: Compactions | None = None
    """How conversations are shown that grew too long; None: they are shown as they are."""
    compact_at: float = 0.8
    defer_above: int = 30
    """How many tools of servers are described to a model; of more it is told the names."""
    """Share of a model's window from which on a conversation is made shorter."""
    roster: Roster = lambda: ()
    """Every agent, for those that may call others."""
    externals: Externals = field(default_factory=NoExternals)
    loops: Loops = field(default_factory=NoLoops)
    guests: Guests = field(default_factory=Guests)
    clock: Clock
