"""What a model is asked: what stands around a conversation, and the message that opens a turn.

Knows no queue, no money and no SQL.
"""

from collections.abc import Mapping, Sequence

from picklebot.agent.compaction import FLUSHING
from picklebot.agent.prompt import Layers, system_prompt, with_skill
from picklebot.agent.prompt import opening as open_turn
from picklebot.agent.recall import GUIDANCE, with_notes
from picklebot.core.events import TurnEvent
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.definitions.agents import AgentSpec
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.models.base import ModelRequest, ToolSchema
from picklebot.tools.base import Tool
from picklebot.tools.skills import NAME as USE_SKILL
from picklebot.workers.mentions import unaddressed
from picklebot.workers.stage import Stage
from picklebot.workers.upkeep import Cast

SEARCHING = "search_memory"  #: who may not call it is not told of notes unasked either


async def opening(stage: Stage, spec: AgentSpec, cast: Cast) -> Message:
    """Return the message that opens the turn: what was said, the notes that go with it, the skill it asks for."""
    event, content, message = cast.turn.event, unaddressed(cast.turn.event), said(stage, cast.turn.event)
    if stage.memory is not None and SEARCHING in cast.calls.tools and event.source.channel != HEARTBEAT:
        message = with_notes(message, await stage.memory.notes(content, cast.conversation))
    skill = await stage.skills.invoked(spec, content)
    return with_skill(message, skill) if skill else message


def said(stage: Stage, event: TurnEvent) -> Message:
    """Return the message that opens the turn, with nothing but what was said."""
    channel = stage.channels.get(event.source.channel)
    return open_turn(
        unaddressed(event),
        source=event.source,
        session_id=event.session_id,
        at=event.created_at,
        zone=stage.zone,
        hint=channel.hint if channel else "",
    )


def request_of(
    stage: Stage, spec: AgentSpec, history: Sequence[Message], tools: Mapping[str, Tool], source: Source
) -> ModelRequest:
    """Return what the model is asked, but for the message that opens the turn."""
    layers = Layers(
        identity=spec.prompt,
        soul=spec.soul,
        bootstrap=stage.guests.sections(source, stage.bootstrap.sections),
        skills=stage.skills.catalogue(spec) if USE_SKILL in tools else "",
        memory=GUIDANCE if FLUSHING in tools else "",
    )
    return ModelRequest(
        system=system_prompt(layers, {**stage.variables, "agent": spec.id, "name": spec.name}),
        messages=history,
        tools=[
            ToolSchema(name=tool.name, description=tool.description, input_schema=tool.input_schema)
            for _, tool in sorted(tools.items())
        ],
        max_tokens=spec.model.max_tokens or stage.max_tokens,
        effort=spec.model.effort or stage.effort,
    )
