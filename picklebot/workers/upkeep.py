"""What keeps a turn's conversation within the window of its model: put together from the turn's players.

Knows no queue and no SQL.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from picklebot.agent.calls import CallRunner
from picklebot.agent.compact_turn import CompactRunner
from picklebot.agent.compaction import FLUSHING, RecordKeeper
from picklebot.agent.context import UNKNOWN_WINDOW, Context, Room
from picklebot.agent.conversation import Conversation
from picklebot.agent.making_room import RoomMaker
from picklebot.agent.money import weigh_around
from picklebot.agent.paid_model import PaidModel
from picklebot.agent.turn_view import TurnView
from picklebot.clock import Clock
from picklebot.core.compaction import Begun, Compaction, Why, compact_order
from picklebot.core.events import InboundEvent, TurnEvent
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.store.base import Compactions, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who plays a turn. `request` is what the model is asked, without the turn's own messages."""

    turn: Turn
    agent_name: str
    conversation: Conversation
    request: ModelRequest
    model: PaidModel
    calls: CallRunner


def order_of(event: TurnEvent) -> str | None:
    """Return what is to be kept above all, where a message wants its conversation shorter and nothing else."""
    return compact_order(event.content) if isinstance(event, InboundEvent) else None


class Upkeep:
    """Makes room in conversations. `share` is of a window; what is above it is put away."""

    def __init__(self, compactions: Compactions | None, *, share: float, clock: Clock) -> None:
        """Without `compactions`, conversations are shown as they are."""
        self._compactions = compactions
        self._share = share
        self._clock = clock

    def context(self, cast: Cast) -> Context:
        """Return what a turn shows of its conversation."""
        view = self._view(cast)
        if self._compactions is None:
            return Context(view, room=Room())
        return Context(
            view,
            room=self._room(cast),
            maker=self._maker(cast, view, TurnCompactions(self._compactions, cast, self._clock)),
            resumed=cast.turn.again or cast.conversation.unfinished,
        )

    def runner(self, cast: Cast, keep: str) -> CompactRunner:
        """Return the runner of a turn that does nothing else."""
        assert self._compactions is not None, "a daemon that takes orders keeps what it was told"
        room, view = self._room(cast), self._view(cast)
        maker = self._maker(cast, view, TurnCompactions(self._compactions, cast, self._clock))
        return CompactRunner(maker, limit=room.limit or room.of(UNKNOWN_WINDOW), keep=keep)

    async def count(self, turn: Turn, step: RecordedStep) -> None:
        """Record a model call of a turn that came to nothing, so that its cost is not forgotten."""
        if self._compactions is not None:
            await self._compactions.count(turn, step, at=self._clock.now())

    def _room(self, cast: Cast) -> Room:
        model = cast.model
        return Room(window=model.window, share=self._share, reply=cast.request.max_tokens, weight=model.bears)

    def _view(self, cast: Cast) -> TurnView:
        overhead = weigh_around(cast.request)
        cast.conversation.meter.place(overhead + cast.conversation.weight)
        return TurnView(conversation=cast.conversation, turn=cast.turn.seq, overhead=overhead)

    def _maker(self, cast: Cast, view: TurnView, journal: "TurnCompactions") -> RoomMaker:
        calls = cast.calls
        allowed = {name: tool for name, tool in calls.tools.items() if name == FLUSHING}
        keeper = RecordKeeper(
            agent_name=cast.agent_name,
            max_tokens=cast.request.max_tokens,
            model=cast.model,
            calls=replace(calls, tools=allowed, results={}),
            marks=lambda: calls.marks,
        )
        return RoomMaker(view, keeper=keeper, journal=journal)


class TurnCompactions:
    """Writes down what one turn does to keep its conversation short."""

    def __init__(self, compactions: Compactions, cast: Cast, clock: Clock) -> None:
        self._compactions = compactions
        self._turn = cast.turn
        self._steps = cast.calls.journal
        self._clock = clock

    async def spent(self) -> float:
        """Return what earlier attempts of this turn have spent on calls that are no part of it, in USD."""
        return await self._compactions.spent(self._turn)

    async def pending(self) -> Begun | None:
        """Return the compaction that an earlier attempt of this turn has begun and not ended."""
        return await self._compactions.pending(self._turn)

    async def begin(self, draft: Compaction, *, why: Why, keep: str) -> Begun:
        """Record what is about to be covered, why, and what the user wants kept."""
        return await self._compactions.begin(self._turn, draft, why=why, keep=keep, at=self._clock.now())

    async def record_flush(self, step: RecordedStep, calls: Sequence[PlannedCall]) -> None:
        """Record which notes the model wants kept, before they are."""
        await self._steps.record_step(step, calls, Message.user())

    async def finish(self, begun: Begun, compaction: Compaction, step: RecordedStep | None) -> None:
        """Put the compaction in force, with the model call that it ends with, if there was one."""
        await self._compactions.finish(self._turn, begun, compaction, step, at=self._clock.now())

    async def give_up(self, begun: Begun, step: RecordedStep | None) -> None:
        """Let the conversation be shown as it was; the model call that was of no use counts."""
        await self._compactions.give_up(self._turn, begun, step, at=self._clock.now())
