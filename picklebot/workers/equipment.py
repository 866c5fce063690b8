"""Which tools a turn is offered, and what they are told of it: pure."""

from collections.abc import Sequence

from picklebot.core.events import InboundEvent, TurnEvent
from picklebot.core.rights import Sandbox
from picklebot.definitions.agents import AgentSpec
from picklebot.store.base import Turn
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.skills import NAME as USE_SKILL
from picklebot.tools.toolset import Toolset


def with_skills(chosen: Sequence[Tool], every: Toolset, spec: AgentSpec, *, wanted: bool) -> list[Tool]:
    """Return `chosen` with use_skill exactly if the agent has skills: its `skills` speak for it, and not its `tools`."""
    others = [tool for tool in chosen if tool.name != USE_SKILL]
    return [*others, *every.select([USE_SKILL], spec.disallowed_tools)] if wanted else others


def offered(tool: Tool, event: TurnEvent) -> bool:
    """Return whether a tool is there for turns from where this one is from."""
    return tool.channels is None or event.source.channel in tool.channels


def context_of(turn: Turn, key: str, sandbox: Sandbox) -> ToolContext:
    """Return what a tool is told of its call; `key` is its step and its id."""
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
