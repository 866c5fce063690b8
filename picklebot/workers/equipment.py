"""Which tools a turn is offered, and what they are told of it: pure."""

from collections.abc import Sequence

from picklebot.core.events import InboundEvent, TurnEvent
from picklebot.core.rights import Sandbox
from picklebot.definitions.agents import AgentSpec
from picklebot.store.base import Turn
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.results import NAME as READ_RESULT
from picklebot.tools.skills import NAME as USE_SKILL
from picklebot.tools.toolset import Toolset


def completed(chosen: Sequence[Tool], every: Toolset, spec: AgentSpec, *, skilled: bool) -> list[Tool]:
    """Return `chosen` with what goes with it, unless the agent's file takes that away.

    use_skill is there exactly if the agent has skills: its `skills` speak for it, and not its `tools`. read_result goes
    with any other tool: it shows what that one has shown already, where it was cut short to save room.
    """
    others = [tool for tool in chosen if tool.name not in {USE_SKILL, READ_RESULT}]
    more = [*([USE_SKILL] if skilled else ()), *([READ_RESULT] if others else ())]
    return [*others, *every.select(more, spec.disallowed_tools)]


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
