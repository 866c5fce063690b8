"""What a turn leaves behind while it runs: rows in the journal, notices on the bus.

Knows no agent and no queue.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from picklebot.agent.calls import Listener
from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.events import TextDelta, ToolFinished, ToolStarted
from picklebot.core.journal import CallState, PlannedCall, RecordedStep
from picklebot.core.marks import Marks
from picklebot.core.messages import Block, Message, ToolCall, ToolResult
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.store.base import Joined, Joining, Turn, Turns
from picklebot.workers.company import Company
from picklebot.workers.marking import marks_said

SUMMARY = 120  #: characters of a tool's input or output in a notice


@dataclass(frozen=True, slots=True)
class TurnJournal:
    """Writes one turn's steps to the store. `joining` says who may join it on the way."""

    turns: Turns
    turn: Turn
    clock: Clock
    company: Company
    joining: Joining | None = None

    async def record_step(self, step: RecordedStep, calls: Sequence[PlannedCall], opening: Message) -> None:
        """Record a model's reply, with its tool calls as intents, and with the first step the turn's opening."""
        await self.turns.record_step(self.turn, step, calls, opening=opening, at=self.clock.now())

    @property
    def heard(self) -> Marks:
        """What was brought by all that the turn answers beside its own message."""
        return marks_said(joined.event for joined in self.company.shown or ())

    async def take_in(self, step: int, *, more: bool) -> Sequence[Block]:
        """Return what else was said before `step`; with `more`, also what is said now, if it may come in at all."""
        joined = self.company.recorded(step)
        if more and self.joining is not None:
            self.company.expect()
            joined += await self.turns.take_in(self.turn, step, self.joining)
        self.company.show(joined)
        return [block for each in joined for block in each.blocks]

    async def follow(self, step: int) -> Sequence[Joined]:
        """Return what joined before `step`, and lets join what may now; each once."""
        joined = self.company.unseen(step)
        if self.joining is not None:
            self.company.expect()
            joined += await self.turns.take_in(self.turn, step, self.joining)
        self.company.show(joined)
        return joined

    def leave(self, event_ids: Sequence[str]) -> None:
        """Let messages that joined wait again: they are not answered in this turn."""
        self.company.leave(event_ids)

    async def start_call(self, step: int, call_id: str) -> None:
        """Record that a call is about to have its effect."""
        await self.turns.start_call(self.turn, step, call_id, at=self.clock.now())

    async def record_result(self, step: int, result: ToolResult, state: CallState) -> None:
        """Record what came of a call."""
        await self.turns.record_result(self.turn, step, result, state=state, at=self.clock.now())


class About(TypedDict):
    """What every notice of a turn carries."""

    session_id: str
    source: Source
    cause_id: str


def about(turn: Turn) -> About:
    """Return what every notice of a turn carries."""
    return {"session_id": turn.event.session_id, "source": turn.event.source, "cause_id": turn.event.id}


class TurnListener(Listener):
    """Tells the bus what a turn does."""

    def __init__(self, bus: EventBus, turn: Turn) -> None:
        self._bus = bus
        self._about = about(turn)

    async def text(self, piece: str, *, restart: bool) -> None:
        """The model said `piece`."""
        if self._bus.wanted(TextDelta):
            await self._bus.publish(TextDelta(**self._about, text=piece, restart=restart))

    async def tool_started(self, call: ToolCall) -> None:
        """A call began."""
        summary = shorten(", ".join(f"{key}={value!r}" for key, value in call.input.items()), SUMMARY)
        await self._bus.publish(ToolStarted(**self._about, call_id=call.id, tool=call.name, summary=summary))

    async def tool_finished(self, call: ToolCall, result: ToolResult, seconds: float) -> None:
        """A call ended."""
        output = result.content if isinstance(result.content, str) else f"{len(result.content)} blocks"
        await self._bus.publish(
            ToolFinished(
                **self._about,
                call_id=call.id,
                tool=call.name,
                summary=shorten(output, SUMMARY),
                seconds=seconds,
                is_error=result.is_error,
            )
        )
