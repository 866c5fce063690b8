"""What agents share with one another, put together: the gate, the turns in hand, the tools, and who carries tasks.

Knows no other worker.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from picklebot.agent.gate import TurnGate
from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.definitions.agents import AgentSpec
from picklebot.tools.base import Tool
from picklebot.tools.board import create_board_tool
from picklebot.tools.dispatch import create_dispatch_tool
from picklebot.wiring.parts import Parts
from picklebot.workers.dispatch import DispatchRules, DispatchWorker, Roster
from picklebot.workers.family import Family


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """How the agents of one daemon work together."""

    gate: TurnGate
    family: Family
    worker: DispatchWorker
    tools: Sequence[Tool]
    roster: Roster


def open_exchange(config: Config, clock: Clock, parts: Parts) -> Exchange:
    """Return the exchange of one daemon. Where `limits.dispatch_depth` is 0, no agent is offered to call another."""
    gate, family = TurnGate(ceiling=config.limits.max_concurrency), Family(parts.store.dispatches)

    def roster() -> Sequence[AgentSpec]:
        return [spec for _, spec in sorted(parts.library.agents.items())]

    worker = DispatchWorker(
        bus=parts.bus,
        dispatches=parts.store.dispatches,
        gate=gate,
        family=family,
        rules=DispatchRules(roster, depth=config.limits.dispatch_depth),
        clock=clock,
    )
    board = create_board_tool(parts.store.board, clock=clock)
    tools = [create_dispatch_tool(worker), board] if config.limits.dispatch_depth else [board]
    return Exchange(gate=gate, family=family, worker=worker, tools=tools, roster=roster)
