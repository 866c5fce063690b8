"""What one turn shows of its conversation, so that it fits the model's window.

Promises that the conversation itself is left whole, that room is made before the window is full and when the model
refuses, and that a turn which cannot be made to fit says so. Knows no store and no channel.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass

from picklebot.agent.making_room import RoomMaker
from picklebot.agent.money import weigh
from picklebot.agent.turn_view import Look, TurnView
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply
from picklebot.errors import ContextTooLong, LimitReached, ModelError

logger = logging.getLogger(__name__)

UNKNOWN_WINDOW = 128_000  #: tokens to plan with where a window is not known
REFUSALS = 4  #: times that one turn makes room after the model refused
OVER = 1.05  #: what a refused conversation takes at least, times what the model can take


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much there is: the model's window in tokens (None: not known), the share to use, the longest reply.

    `weight` is what the turn's budget bears: what weighs more is made shorter however large the window is.
    """

    window: int | None = None
    share: float = 0.8
    reply: int = 8192
    weight: float = math.inf

    @property
    def limit(self) -> float | None:
        """Return the tokens from which on a conversation is made shorter."""
        return None if self.window is None else self.of(self.window)

    def of(self, window: float) -> float:
        """Return that of another window."""
        return window * self.share - min(self.reply, window / 4)


class Context:
    """The context of one turn. Without a `maker` it is shown as it is."""

    def __init__(
        self,
        view: TurnView,
        *,
        room: Room,
        maker: RoomMaker | None = None,
        resumed: bool = False,
    ) -> None:
        """`resumed`: the turn was begun before, and may have begun to make room."""
        self.notes: list[str] = []
        self._view = view
        self._room = room
        self._maker = maker
        self._limit = math.inf if room.limit is None else room.limit
        self._tired = False
        self._refusals = 0
        self._resumed = resumed

    async def fit(self, added: Sequence[Message]) -> Look:
        """Return what is shown, after room was made where there was too little."""
        if self._maker is None:
            return self._view.look(added)
        if self._resumed:
            self._resumed = False
            await self._attempt(added, None)
        look = self._view.look(added)
        # The weight is an upper bound: most conversations are never looked at more closely.
        if look.weight <= min(self._limit, self._room.weight):
            return look
        if self.tokens(look) > (limit := self._full()):
            await self._attempt(added, limit)
        return self._view.look(added)

    def tokens(self, look: Look) -> float:
        """Return an estimate of the tokens of what is shown."""
        return self._view.conversation.meter.estimate(look.weight)

    def met(self, reply: ModelReply, look: Look) -> None:
        """Take what the model counted."""
        self._view.conversation.meter.met(reply.usage, look.weight, weigh(reply.message))

    async def overflow(self, added: Sequence[Message], refusal: ContextTooLong) -> None:
        """Make room after the model refused.

        Raises:
            ContextTooLong: there is none to be made.
        """
        self._refusals += 1
        if self._maker is None or self._refusals > REFUSALS:
            raise refusal
        look, meter = self._view.look(added), self._view.conversation.meter
        window = refusal.limit or self.tokens(look) / OVER
        meter.refused(window * OVER, look.weight)
        self._limit = self._room.of(window) if self._refusals == 1 else self._limit / 2
        try:
            told = await self._maker.make(added, self._limit, why="refused")
        except (ModelError, LimitReached) as exc:
            raise ContextTooLong(f"{refusal}; making it shorter failed: {exc}") from exc
        if told is None:
            raise refusal
        self.notes.append(told)

    def _full(self) -> float:
        """Return the tokens from which on room is made."""
        if self._tired:
            return math.inf
        return min(self._limit, self._room.weight * self._view.conversation.meter.ratio)

    async def _attempt(self, added: Sequence[Message], limit: float | None) -> None:
        """Make room while there still is some, or (without `limit`) go on with it; where that fails, so does nothing."""
        assert self._maker is not None
        try:
            if limit is None:
                await self._maker.resume(added, min(self._full(), self._room.of(UNKNOWN_WINDOW)))
            elif (told := await self._maker.make(added, limit, why="full")) is not None:
                self.notes.append(told)
        except (ModelError, LimitReached) as exc:
            self._tired = True  # not at every step: the next turn tries again, and before that the model refuses
            self.notes.append(f"I could not make our conversation shorter: {exc}.")
            logger.warning("a compaction came to nothing: %s", exc)
