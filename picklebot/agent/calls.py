"""Running the tool calls of one step, in parallel, each journalled before and after.

Promises contracts.md P4: a result found recorded is not run again, and a call that was started and left no result is
settled by its tool's effect class. Knows no model.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from picklebot.agent.asking import Parked
from picklebot.clock import Clock
from picklebot.core.journal import CallState, Journal, RecordedCall
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import ToolCall, ToolResult
from picklebot.core.redaction import Redactor
from picklebot.errors import ToolDenied, ToolError, TurnError
from picklebot.tools.base import Effect, Output, Tool, ToolContext
from picklebot.tools.toolset import cap

logger = logging.getLogger(__name__)

TOOL_SECONDS = 630.0  #: for any one call; above the longest that a tool itself allows, so that it can end in words
_LONG = 100_000  # characters: looked through in about 5 ms
UNKNOWN = (
    "UNKNOWN: picklebot was interrupted while this ran. Its effect may or may not have happened: "
    "check before you do it again."
)


class PutBack(TurnError):
    """This run of the daemon takes the turn no further: it is to be put back, and begun again as it is."""


class Consent(Protocol):
    """Knows whether a call may be made."""

    async def __call__(self, tool: Tool, call: ToolCall, context: ToolContext) -> None:
        """Return if it may. ToolDenied: it may not. Parked: that is not known yet."""
        ...


async def granted(tool: Tool, call: ToolCall, context: ToolContext) -> None:
    """Let every call be made."""


class Listener(Protocol):
    """Hears what a turn does while it does it."""

    async def text(self, piece: str, *, restart: bool) -> None:
        """The model said `piece`; with `restart`, what this step said before is void."""
        ...

    async def tool_started(self, call: ToolCall) -> None:
        """A call began."""
        ...

    async def tool_finished(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        """A call ended."""
        ...


@dataclass(kw_only=True)
class CallRunner:
    """Runs one turn's calls. `results` holds those of the step in hand, also while it is still running."""

    tools: Mapping[str, Tool]
    journal: Journal
    listener: Listener
    clock: Clock
    context: Callable[[str], ToolContext]
    """Call key -> the context that the tool gets."""
    meant: Callable[[ToolCall], ToolCall] = lambda call: call
    """A call as the model made it -> the call that it stands for, before anything judges it."""
    consent: Consent = granted
    redact: Redactor = field(default_factory=Redactor)
    """Takes known secrets out of text: whatever a tool returned, no model and no record sees them."""
    results: dict[str, ToolResult] = field(default_factory=dict[str, ToolResult])
    marks: Marks = NO_MARKS
    """What the turn has read so far: at first what it began with, then also what each step's results brought."""
    _held: list[Parked | PutBack] = field(default_factory=list["Parked | PutBack"])

    async def run(self, step: int, calls: Sequence[ToolCall], recorded: Mapping[str, RecordedCall]) -> list[ToolResult]:
        """Return the results of `calls`, in their order.

        Raises:
            Parked, PutBack: a call waits for something that will not come now. It leaves no result and is made again
                with the next attempt; the calls beside it have ended by then, and left theirs.
        """
        self.results, self._held = {}, []
        async with asyncio.TaskGroup() as group:
            for call in calls:
                group.create_task(self._run(step, call, recorded.get(call.id)), name=f"tool {call.name}")
        found = [self.results[call.id].marks for call in calls if call.id in self.results]
        # Not before all have ended: what a model asks for side by side, it asks for without having read the others.
        self.marks = self.marks.union(*found)
        if self._held:
            raise min(self._held, key=_urgency)
        return [self.results[call.id] for call in calls]

    async def _run(self, step: int, call: ToolCall, recorded: RecordedCall | None) -> None:
        if recorded is not None and recorded.result is not None:
            self.results[call.id] = recorded.result
            return
        started = self.clock.monotonic()
        await self.listener.tool_started(replace(call, input=self.redact.within(call.input)))
        try:
            interrupted = recorded is not None and recorded.state == "started"
            state, result = await self._settle(step, call, interrupted=interrupted)
        except (Parked, PutBack) as exc:
            self._held.append(exc)
            return
        # Before it is written down: a turn that is stopped in between must not tell the model that this never ended.
        self.results[call.id] = result
        await self.journal.record_result(step, result, state)
        await self.listener.tool_finished(call, result, self.clock.monotonic() - started)

    async def _settle(self, step: int, call: ToolCall, *, interrupted: bool) -> tuple[CallState, ToolResult]:
        """Run the call, or do what its effect class says if a crash came between its start and its result."""
        tool = self.tools.get(call.name)
        if tool is None or call.problem is not None:
            reason = call.problem or f"there is no tool {call.name!r}; there are: {', '.join(sorted(self.tools))}"
            return "failed", ToolResult(call.id, f"Not run: {reason}", is_error=True)
        context = replace(self.context(f"{step}:{call.id}"), marks=self.marks)
        state, result = await self._carry_out(tool, call, context, step=step, interrupted=interrupted)
        return state, replace(result, marks=tool.marks | context.noted)

    async def _carry_out(
        self, tool: Tool, call: ToolCall, context: ToolContext, *, step: int, interrupted: bool
    ) -> tuple[CallState, ToolResult]:
        if interrupted:
            match tool.effect:
                case Effect.ONCE:
                    return "unknown", ToolResult(call.id, UNKNOWN, is_error=True)
                case Effect.RECONCILE:
                    return await self._reconcile(tool, call, context)
                case Effect.PURE | Effect.KEYED:
                    pass
        # Not of a call that was begun before: there was consent, and the turn may not end without its outcome.
        if not interrupted:
            try:
                await self.consent(tool, call, context)
            except ToolError as exc:
                return "failed", ToolResult(call.id, f"Not run: {exc}", is_error=True)
        if tool.effect is not Effect.PURE:
            await self.journal.start_call(step, call.id)
        seconds = None if tool.patient else TOOL_SECONDS
        return await self._attempt(call, lambda: tool.run(context, call.input), seconds=seconds)

    async def _reconcile(self, tool: Tool, call: ToolCall, context: ToolContext) -> tuple[CallState, ToolResult]:
        """Ask the tool whether its effect is there; run it if it is not; say so if it cannot tell."""
        found: list[Output | None] = []

        async def check() -> Output:
            found.append(await tool.check(context, call.input) if tool.check else None)
            return found[0] or ""

        state, result = await self._attempt(call, check)
        if state == "failed":
            return "unknown", ToolResult(call.id, UNKNOWN, is_error=True)
        if found[0] is not None:
            return state, result
        return await self._attempt(call, lambda: tool.run(context, call.input))

    async def _attempt(
        self, call: ToolCall, attempt: Callable[[], Awaitable[Output]], *, seconds: float | None = TOOL_SECONDS
    ) -> tuple[CallState, ToolResult]:
        limit = asyncio.timeout(seconds)
        try:
            async with limit:
                output = await attempt()
        except (Parked, PutBack):
            raise
        except ToolDenied as exc:
            return "failed", ToolResult(call.id, f"Denied: {exc}", is_error=True)
        except ToolError as exc:
            return "failed", ToolResult(call.id, cap(self.redact(str(exc))), is_error=True)
        except Exception as exc:  # a broken tool is the model's to know of, not the daemon's to die of
            if limit.expired():  # and not the time limit of something that the tool itself waited for
                return "unknown", ToolResult(call.id, f"Stopped after {TOOL_SECONDS:.0f} s.", is_error=True)
            logger.exception("tool %s crashed", call.name)
            words = self.redact(f"The tool crashed: {type(exc).__name__}: {exc}")
            return "failed", ToolResult(call.id, words, is_error=True)
        return "done", ToolResult(call.id, await self._shown(output))

    async def _shown(self, output: Output) -> Output:
        """Return what a model is shown; secrets go first, because a cut may leave half of one."""
        if isinstance(output, str):
            return cap(await self._redacted(output))
        return [
            {**block, "text": await self._redacted(block["text"])} if block["type"] == "text" else block
            for block in output
        ]

    async def _redacted(self, text: str) -> str:
        return self.redact(text) if len(text) < _LONG else await asyncio.to_thread(self.redact, text)


def _urgency(held: Parked | PutBack) -> tuple[int, float]:
    """A turn is put back rather than parked, and parked until the first of what it waits for may be there."""
    return (0, 0.0) if isinstance(held, PutBack) else (1, held.until.timestamp())
