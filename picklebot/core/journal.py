"""The steps of a turn, as they are written down before the next thing happens: pure values.

A step is one model reply and the tool calls it asked for. Knows no store and no model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, TypeAlias

from picklebot.core.marks import Marks
from picklebot.core.messages import Block, Message, ToolResult
from picklebot.core.replies import ModelReply

CallState: TypeAlias = Literal["planned", "started", "done", "failed", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedCall:
    """A tool call that is about to be journalled. `effect` is the name of the tool's effect class."""

    call_id: str
    tool: str
    effect: str
    input: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCall:
    """A tool call as the journal has it."""

    step: int
    call_id: str
    tool: str
    state: CallState
    result: ToolResult | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedStep:
    """A model's reply as the journal has it, and the calls it asked for. `cost_usd` is None when no price is known."""

    n: int
    reply: ModelReply
    cost_usd: float | None
    calls: Mapping[str, RecordedCall] = field(default_factory=dict[str, RecordedCall])


class Journal(Protocol):
    """Where one turn writes its steps down. What returned is on disk."""

    async def record_step(self, step: RecordedStep, calls: Sequence[PlannedCall], opening: Message) -> None:
        """Record a model's reply, with its tool calls as intents, and with the first step the turn's opening."""
        ...

    @property
    def heard(self) -> Marks:
        """What was brought by all that was taken in so far."""
        ...

    async def take_in(self, step: int, *, more: bool) -> Sequence[Block]:
        """Return what else was said before `step`; with `more`, also what is said now, if it may come in at all."""
        ...

    async def start_call(self, step: int, call_id: str) -> None:
        """Record that a call is about to have its effect."""
        ...

    async def record_result(self, step: int, result: ToolResult, state: CallState) -> None:
        """Record what came of a call."""
        ...
