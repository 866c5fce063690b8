"""The agent loop: ask the model, run its tools, until it answers.

Promises that every run ends, within its steps, seconds and money, and that each step is written down before the next.
Knows a model and some tools. Knows nothing of the bus, the store or channels.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from picklebot.agent.calls import CallRunner, Listener
from picklebot.agent.context import Context
from picklebot.agent.paid_model import PaidModel
from picklebot.agent.turn_view import Look
from picklebot.agent.verdict import (
    STOP_AT,
    WARN_AT,
    WINDOW_FULL,
    Answer,
    AskAgain,
    RunTools,
    Streaks,
    Verdict,
    close_calls,
    judge,
    with_fresh_ids,
)
from picklebot.core.events import Outcome
from picklebot.core.journal import Journal, PlannedCall, RecordedStep
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import Message, ToolCall
from picklebot.core.replies import ModelReply
from picklebot.errors import ContextTooLong, LimitReached, ModelError, TurnError
from picklebot.models.base import ModelRequest
from picklebot.tools.base import Effect

logger = logging.getLogger(__name__)

FILLED = "the conversation has filled the model's window"
INTERRUPTED = "Interrupted by the next message"  #: the last words of a run that was, in brackets
CUT = (
    "UNKNOWN: interrupted. The turn was stopped before this ended. Its effect may or may not have happened: "
    "check before you do it again."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnLimits:
    """What one turn may take."""

    steps: int
    seconds: float
    usd: float
    """The ceiling of the turn's own purse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a run ended: the answer or the error, and the messages it adds to the conversation."""

    outcome: Outcome
    text: str
    messages: Sequence[Message]
    error: str | None = None
    kind: str = ""
    """The name of the error's class."""
    last: RecordedStep | None = None
    """The final reply, still to be journalled."""
    marks: Marks = NO_MARKS
    """What was read on the way to it."""
    notes: Sequence[str] = ()
    """What the user should know beside it, a line each."""


class AgentRunner:
    """Runs one turn, once."""

    def __init__(
        self,
        request: ModelRequest,
        opening: Message,
        *,
        model: PaidModel,
        calls: CallRunner,
        context: Context,
    ) -> None:
        """`request` holds the whole conversation before this turn; `context` says what of it is shown."""
        self._request = request
        self._history = request.messages
        self._opening = opening
        self._context = context
        self._model = model
        self._calls = calls
        self._journal: Journal = calls.journal
        self._listener: Listener = calls.listener
        self._added: list[Message] = [opening]
        self._streaks = Streaks()
        self._nudged = False
        self._speech = calls.redact.stream()

    async def run(self, limits: TurnLimits, recorded: Sequence[RecordedStep] = ()) -> Ending:
        """Answer, going on from the steps that are already recorded.

        Raises:
            Parked: the endpoint asks to come back later than a turn may wait, or a day's budget is used up; what is
                recorded stays.
        """
        try:
            async with asyncio.timeout(limits.seconds):
                return await self._loop(limits, recorded)
        except TimeoutError:
            return self.give_up(LimitReached(f"it took longer than {limits.seconds:.0f} seconds"))
        except (LimitReached, ModelError) as exc:
            return self.give_up(exc)

    def give_up(self, error: TurnError | ModelError) -> Ending:
        """End with an error, keeping what was said and done."""
        words = f"I stopped: {error}." if isinstance(error, LimitReached) else f"I could not finish: {error}."
        return self._end_early("failed", words, error)

    def stop(self) -> Ending:
        """End because the user said so, keeping what was said and done."""
        return self._end_early("stopped", "Stopped.", None)

    def yield_to_next(self) -> Ending:
        """End because the user has said something else, which is answered instead, keeping what was said and done."""
        return replace(self._end_early("stopped", f"{INTERRUPTED}.", None), kind="Interrupted")

    async def recall(self, recorded: Sequence[RecordedStep]) -> None:
        """Take up what was recorded, asking and running nothing: for a run that is to end before it goes on."""
        for step in recorded:
            await self._join(step.n, more=False)
            verdict = self._judge(step.reply)
            if isinstance(verdict, Answer):
                return
            self._take_up(step.reply, verdict)
            calls = verdict.calls if isinstance(verdict, RunTools) else ()
            known = {call.id: found.result for call in calls if (found := step.calls.get(call.id)) and found.result}
            if len(known) < len({call.id for call in calls}):
                self._calls.results = known
                return
            with suppress(LimitReached):
                await self._follow(step, verdict)

    def _end_early(self, outcome: Outcome, words: str, error: TurnError | ModelError | None) -> Ending:
        messages = close_calls(self._added, list(self._calls.results.values()), CUT)
        # An assistant's last word keeps the conversation alternating, and tells the model what happened here.
        messages.append(Message.assistant(f"[{words}]"))
        marks = self._calls.marks.union(*(result.marks for result in self._calls.results.values()))
        ending = Ending(outcome=outcome, text=words, messages=messages, marks=marks, notes=self._context.notes)
        return ending if error is None else replace(ending, error=str(error), kind=type(error).__name__)

    async def _loop(self, limits: TurnLimits, recorded: Sequence[RecordedStep]) -> Ending:
        for n in range(limits.steps):
            await self._join(n, more=n >= len(recorded))
            step = recorded[n] if n < len(recorded) else None
            known = step is not None
            if step is None:
                step = await self._ask(n)
            else:
                self._model.count(step.cost_usd)
            verdict = self._judge(step.reply)
            if isinstance(verdict, Answer):
                messages = [*self._added, self._answer(step.reply, verdict)]
                ending = Ending(outcome="done", text=verdict.text, messages=messages, marks=self._calls.marks)
                return replace(ending, last=None if known else step, notes=self._context.notes)
            self._take_up(step.reply, verdict)  # before it is recorded: a turn that is cut just then has said it too
            if not known:
                await self._journal.record_step(step, self._plan(verdict), self._opening)
            await self._follow(step, verdict)
        raise LimitReached(f"it took more than {limits.steps} steps")

    def _judge(self, reply: ModelReply) -> Verdict:
        verdict = judge(reply, nudged=self._nudged, max_tokens=self._request.max_tokens)
        if isinstance(verdict, RunTools):
            return replace(verdict, calls=[self._calls.meant(call) for call in verdict.calls])
        return verdict

    async def _join(self, n: int, *, more: bool) -> None:
        """Put what was said meanwhile into the last user message: to the results of the step before, if there is one."""
        last = self._added[-1]
        if n and last.role == "user" and (blocks := await self._journal.take_in(n, more=more)):
            self._added[-1] = Message("user", (*last.blocks, *blocks))
        self._calls.marks |= self._journal.heard

    async def _ask(self, n: int) -> RecordedStep:
        """Ask until there is an answer that the window did not cut off; each time the window is too small, show less."""
        while True:
            look = await self._context.fit(self._added)
            try:
                step = await self._ask_once(n, look)
            except ContextTooLong as exc:
                await self._context.overflow(self._added, exc)
                continue
            if step.reply.stop_reason != WINDOW_FULL:
                self._context.met(step.reply, look)
                return step
            await self._model.write_off([step])
            await self._listener.text("", restart=True)
            await self._context.overflow(self._added, ContextTooLong(FILLED))

    async def _ask_once(self, n: int, look: Look) -> RecordedStep:
        self._speech = self._calls.redact.stream()
        step = await self._model.ask(
            n,
            replace(self._request, messages=look.messages),
            self._speak,
            weight=look.weight,
            tokens=self._context.tokens(look),
        )
        if rest := self._speech.end():
            await self._listener.text(rest, restart=False)
        # Against all that was said, and not what is shown of it: a replay shows all.
        message = with_fresh_ids(step.reply.message, [*self._history, *self._added])
        return replace(step, reply=replace(step.reply, message=message))

    async def _speak(self, piece: str, restart: bool) -> None:  # as the model's side calls it
        """Let what the model says be heard, without secrets."""
        if restart:
            self._speech = self._calls.redact.stream()
        if (said := self._speech.feed(piece)) or restart:
            await self._listener.text(said, restart=restart)

    def _take_up(self, reply: ModelReply, verdict: RunTools | AskAgain) -> None:
        """Put a reply that is not the last into the conversation."""
        if reply.message.blocks:  # the API refuses an empty message
            self._added.append(reply.message)
        if isinstance(verdict, AskAgain) and verdict.note:
            self._nudged = True
            self._added.append(Message.user(verdict.note))

    async def _follow(self, step: RecordedStep, verdict: RunTools | AskAgain) -> None:
        """Do what a reply asks for that was taken up."""
        if isinstance(verdict, RunTools):
            results = [*await self._calls.run(step.n, verdict.calls, step.calls), *verdict.refused]
            self._added.append(Message.results(results, self._warning(verdict.calls)))

    def _answer(self, reply: ModelReply, answer: Answer) -> Message:
        return reply.message if reply.message.text.strip() else Message.assistant(answer.text)

    def _warning(self, calls: Sequence[ToolCall]) -> str:
        streak = self._streaks.count(calls)
        if streak >= STOP_AT:
            raise LimitReached(f"the model made the same call {streak} times running")
        if streak >= WARN_AT:
            return f"[You have made the same call {streak} times running. Do something else, or answer.]"
        return ""

    def _plan(self, verdict: Verdict) -> list[PlannedCall]:
        if not isinstance(verdict, RunTools):
            return []
        planned: dict[str, PlannedCall] = {}
        for call in verdict.calls:
            tool = self._calls.tools.get(call.name)
            effect = (tool.effect if tool else Effect.PURE).value
            planned[call.id] = PlannedCall(call_id=call.id, tool=call.name, effect=effect, input=call.input)
        return list(planned.values())
