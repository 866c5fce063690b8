"""A recorded turn, run again by the same loop, with everything from outside taken from the record.

The model says what it said, each tool returns what it returned, and nothing has an effect. Promises that a record which
is whole gives the messages that it gave the first time, or else the loop, or the record, has changed. Knows no store.
"""

import asyncio
import math
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import NoReturn

from picklebot.agent.asking import Asker, Candidate, RetryBudget
from picklebot.agent.budget import Purse
from picklebot.agent.calls import CallRunner
from picklebot.agent.context import Context, Room
from picklebot.agent.conversation import Conversation
from picklebot.agent.money import Money
from picklebot.agent.paid_model import PaidModel
from picklebot.agent.purses import TurnPurses
from picklebot.agent.runner import INTERRUPTED, AgentRunner, Ending, TurnLimits
from picklebot.agent.turn_view import TurnView
from picklebot.clock import SystemClock
from picklebot.core.events import Outcome
from picklebot.core.journal import CallState, PlannedCall, RecordedStep
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import Block, Message, ToolCall, ToolResult
from picklebot.core.source import Source
from picklebot.errors import LimitReached, ModelRejected, ToolError
from picklebot.models.base import ModelEvent, ModelRequest
from picklebot.models.replay import ReplayModel
from picklebot.tools.base import Effect, Output, Tool, ToolContext

_FOREVER = 10**9  #: steps and seconds: what ended the turn the first time ends it again


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """What is known of a turn that has ended. `words` is what its user was told.

    `joined` has, for each step, what joined the turn before it.
    """

    opening: Message
    steps: Sequence[RecordedStep]
    outcome: Outcome
    error: str | None
    words: str
    joined: Mapping[int, Sequence[Block]] = field(default_factory=dict[int, Sequence[Block]])


async def rerun(record: Record, history: Sequence[Message]) -> Ending:
    """Run the turn again after `history`; return how it ends this time."""
    stage = _Stage(record.steps, record.joined)
    calls = CallRunner(
        tools=_stand_ins(record.steps, stage),
        journal=stage,
        listener=stage,
        clock=SystemClock(),
        context=lambda key: ToolContext(session_id="", agent_id="", source=Source("replay"), key=key, cause_id=""),
    )
    runner = AgentRunner(
        ModelRequest(system="", messages=history),
        record.opening,
        model=PaidModel(
            Asker(clock=SystemClock(), budget=RetryBudget()),
            [Candidate(_Recorded(record, stage))],
            Money(TurnPurses(Purse("", math.inf), []), price=lambda model, usage: None, candidates=[]),
        ),
        calls=calls,
        # What is shown of a conversation is of no interest to who only says what was said.
        context=Context(TurnView(conversation=Conversation(()), turn=0), room=Room()),
    )
    limits = TurnLimits(steps=len(record.steps) + 1, seconds=_FOREVER, usd=math.inf)
    run = asyncio.ensure_future(runner.run(limits))
    waiting = asyncio.ensure_future(stage.cut_here.wait())
    try:
        await asyncio.wait({run, waiting}, return_when=asyncio.FIRST_COMPLETED)
        if run.done():
            return run.result()
        # The turn was cut here from outside, by its user or by the clock; so is this one.
        if record.outcome != "stopped":
            return runner.give_up(_error(record))
        return runner.yield_to_next() if record.words.startswith(INTERRUPTED) else runner.stop()
    finally:
        run.cancel()
        waiting.cancel()
        await asyncio.wait({run, waiting})


def _error(record: Record) -> LimitReached | ModelRejected:
    """Return an error that ends a turn in the words in which it ended."""
    kind = LimitReached if record.words.startswith("I stopped:") else ModelRejected
    return kind(record.error or "")


class _Recorded:
    """Says what was said; then ends as the record ends."""

    name = "replay"

    def __init__(self, record: Record, stage: "_Stage") -> None:
        self._record = record
        self._stage = stage
        self._left = len(record.steps)
        self._model = ReplayModel([step.reply for step in record.steps])

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        if not self._left and self._record.outcome == "stopped":
            await self._stage.cut()
        if not self._left and self._record.outcome == "failed":
            raise _error(self._record)
        self._left -= 1
        async with aclosing(self._model.stream(request)) as events:
            async for event in events:
                yield event

    async def aclose(self) -> None:
        """Hold nothing, so let go of nothing."""


class _Stage:
    """The journal and the listener of a turn that leaves no trace.

    Knows where the record ends in the middle of something: there `cut_here` is set, once everything else that is
    recorded has happened.
    """

    def __init__(self, steps: Sequence[RecordedStep], joined: Mapping[int, Sequence[Block]]) -> None:
        self.cut_here = asyncio.Event()
        self._joined = joined
        self._recorded = {step.n: step.calls for step in steps}
        self._awaited = 0  # results of the step in hand that are recorded, and not there yet
        self._cut = False

    async def result(self, key: str) -> ToolResult:
        """Return what was recorded of a call."""
        step, _, call_id = key.partition(":")
        call = self._recorded.get(int(step), {}).get(call_id)
        if call is None or call.result is None:
            await self.cut()
        return call.result

    async def cut(self) -> NoReturn:
        """The record says no more: wait to be cut."""
        self._cut = True
        self._look()
        while True:
            await asyncio.Event().wait()

    async def record_step(self, step: RecordedStep, calls: Sequence[PlannedCall], opening: Message) -> None:
        """A step begins."""
        self._awaited = sum(call.result is not None for call in self._recorded[step.n].values())

    @property
    def heard(self) -> Marks:
        """Nothing: no call is judged by it."""
        return NO_MARKS

    async def take_in(self, step: int, *, more: bool) -> Sequence[Block]:
        """Return what joined then."""
        return self._joined.get(step, ())

    async def start_call(self, step: int, call_id: str) -> None:
        """Write nothing down."""

    async def record_result(self, step: int, result: ToolResult, state: CallState) -> None:
        """Write nothing down."""

    async def text(self, piece: str, *, restart: bool) -> None:
        """Tell nobody."""

    async def tool_started(self, call: ToolCall) -> None:
        """Tell nobody."""

    async def tool_finished(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        """One result less to wait for."""
        self._awaited -= 1
        self._look()

    def _look(self) -> None:
        if self._cut and self._awaited <= 0:
            self.cut_here.set()


def _stand_ins(steps: Sequence[RecordedStep], stage: _Stage) -> Mapping[str, Tool]:
    """Return a tool for each that was called, which returns what was recorded of the call."""

    async def run(context: ToolContext, given: Mapping[str, object]) -> Output:
        result = await stage.result(context.key)
        if result.is_error:
            raise ToolError(str(result.content))
        return result.content

    names = {call.tool for step in steps for call in step.calls.values()}
    return {name: Tool(name=name, description="", input_schema={}, run=run, effect=Effect.PURE) for name in names}
