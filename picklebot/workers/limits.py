"""How far a turn may go: in steps, seconds and money."""

from dataclasses import replace

from picklebot.agent.runner import TurnLimits
from picklebot.core.events import TurnEvent
from picklebot.core.rights import Rights
from picklebot.definitions.agents import AgentSpec
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.jobs.heartbeat import STEPS
from picklebot.workers.inheritance import rights_of
from picklebot.workers.stage import Stage


def limits_of(stage: Stage, spec: AgentSpec, event: TurnEvent) -> TurnLimits:
    """Return the least of what settings, the agent and the caller allow."""
    default, own = stage.limits, spec.budget
    if event.source.channel == HEARTBEAT:
        usd, steps = min(default.usd, stage.heartbeat_usd), min(default.steps, STEPS)
        default = replace(default, steps=steps, usd=usd)
    left = rights_of(event) or Rights(steps=default.steps, seconds=default.seconds)
    return TurnLimits(
        steps=min(own.turn_steps or default.steps, default.steps, left.steps),
        seconds=min(own.turn_seconds or default.seconds, default.seconds, left.seconds),
        usd=default.usd if own.turn_usd is None else min(own.turn_usd, default.usd),
    )
