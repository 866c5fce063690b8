"""What every turn shares: the workspace's files, the limits, the channels, and where agents, models and skills are found.

Knows no turn.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Protocol

from picklebot.agent.asking import Candidate
from picklebot.agent.money import Price
from picklebot.agent.runner import TurnLimits
from picklebot.channels.base import Channel
from picklebot.clock import Clock
from picklebot.definitions.agents import AgentSpec, ModelChoice
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.workers.destinations import LastPlace, Nowhere
from picklebot.workers.dispatch import Roster
from picklebot.workers.family import Family


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
    family: Family = field(default_factory=Family)
    roster: Roster = lambda: ()
    """Every agent, for those that may call others."""
    clock: Clock
