"""A call to another agent that is cut off in the middle."""

import asyncio
from pathlib import Path

from picklebot.agent.gate import TurnGate
from picklebot.core.bus import EventBus
from picklebot.core.events import InboundEvent
from picklebot.core.source import Source
from picklebot.definitions.agents import AgentSpec
from picklebot.store.base import Turn
from picklebot.store.database import connect
from picklebot.store.sqlite import open_store
from picklebot.testing import FakeClock
from picklebot.tools.base import ToolContext
from picklebot.workers.dispatch import DispatchRules, DispatchWorker
from picklebot.workers.family import Family, Member

ASKED = InboundEvent(session_id="s", source=Source("fake", ("ann",)), agent_id="pickle", content="x", key="k")
CALL = ToolContext(session_id="s", agent_id="pickle", source=ASKED.source, key="0:c1", cause_id=ASKED.id)


async def test_a_task_that_was_just_being_given_when_its_turn_was_stopped_ends_with_it(tmp_path: Path) -> None:
    path = tmp_path / "picklebot.db"
    async with open_store(path) as store:
        family, asked = Family(store.dispatches), asyncio.Event()

        def roster() -> list[AgentSpec]:  # it is asked for in the moment before the task is written down
            asked.set()
            return [AgentSpec(id="pickle"), AgentSpec(id="cookie")]

        family.enter(Member(event=ASKED, attempts=1, tools=(), sandbox="workspace", steps=9, ends=1e9))
        worker = DispatchWorker(
            bus=EventBus(),
            dispatches=store.dispatches,
            gate=TurnGate(ceiling=1),
            family=family,
            rules=DispatchRules(roster, depth=2),
            clock=FakeClock(),
        )
        other = connect(path)  # its lock holds the task up until the caller is gone
        other.execute("BEGIN IMMEDIATE")
        giving = asyncio.create_task(worker.dispatch(CALL, "cookie", "look"))
        await asked.wait()
        giving.cancel()
        await asyncio.wait({giving})
        other.close()
        left = await family.left_by(Turn(seq=1, event=ASKED, attempts=1, opening=None))
    assert [(task.agent_id, task.content) for task in left] == [("cookie", "look")]
