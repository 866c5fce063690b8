"""The calls of one step, apart from everything else."""

import asyncio
import contextlib
from collections.abc import Sequence

from picklebot.agent.calls import CallRunner
from picklebot.clock import SystemClock
from picklebot.core.journal import CallState, PlannedCall, RecordedCall, RecordedStep
from picklebot.core.marks import NO_MARKS
from picklebot.core.messages import Block, Message, ToolCall, ToolResult
from picklebot.core.source import Source
from picklebot.tools.base import Effect, Tool, ToolContext


class Stage:
    """A listener that hears nothing, and a journal that never comes to the end of writing a result down."""

    async def text(self, piece: str, *, restart: bool) -> None: ...

    async def tool_started(self, call: ToolCall) -> None: ...

    async def tool_finished(self, call: ToolCall, result: ToolResult, seconds: float) -> None: ...

    async def record_step(self, step: RecordedStep, calls: Sequence[PlannedCall], opening: Message) -> None: ...

    heard = NO_MARKS

    async def take_in(self, step: int, *, more: bool) -> Sequence[Block]:
        return ()

    async def start_call(self, step: int, call_id: str) -> None: ...

    async def record_result(self, step: int, result: ToolResult, state: CallState) -> None:
        await asyncio.Event().wait()


class Recording(Stage):
    """A journal that comes to its end."""

    async def record_result(self, step: int, result: ToolResult, state: CallState) -> None: ...


async def test_a_turn_that_is_stopped_while_a_result_is_written_down_knows_the_result() -> None:
    async def run(context: ToolContext, given: object) -> str:
        done.set()
        return "paid"

    done, stage = asyncio.Event(), Stage()
    calls = CallRunner(
        tools={"pay": Tool(name="pay", description="", input_schema={}, run=run, effect=Effect.PURE)},
        journal=stage,
        listener=stage,
        clock=SystemClock(),
        context=lambda key: ToolContext(session_id="", agent_id="", source=Source("x"), key=key, cause_id=""),
    )
    task = asyncio.create_task(calls.run(0, [ToolCall("c1", "pay", {})], {}))
    await done.wait()
    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert calls.results["c1"].content == "paid"


async def test_a_resumed_turn_bears_the_marks_of_the_results_that_it_finds_recorded() -> None:
    stage = Stage()
    calls = CallRunner(
        tools={},  # the tool is gone since
        journal=stage,
        listener=stage,
        clock=SystemClock(),
        context=lambda key: ToolContext(session_id="", agent_id="", source=Source("x"), key=key, cause_id=""),
    )
    result = ToolResult("c1", "a page", marks=frozenset({"outside"}))
    recorded = RecordedCall(step=0, call_id="c1", tool="web", state="done", result=result)
    assert await calls.run(0, [ToolCall("c1", "web", {})], {"c1": recorded}) == [result]
    assert calls.marks == {"outside"}


async def test_what_a_tool_itself_did_not_wait_for_any_longer_is_not_told_as_our_time_limit() -> None:
    async def run(context: ToolContext, given: object) -> str:
        raise TimeoutError("the shop does not answer")

    stage = Recording()
    calls = CallRunner(
        tools={"pay": Tool(name="pay", description="", input_schema={}, run=run)},
        journal=stage,
        listener=stage,
        clock=SystemClock(),
        context=lambda key: ToolContext(session_id="", agent_id="", source=Source("x"), key=key, cause_id=""),
    )
    [result] = await calls.run(0, [ToolCall("c1", "pay", {})], {})
    assert result.content == "The tool crashed: TimeoutError: the shop does not answer"
    assert result.is_error
