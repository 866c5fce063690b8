"""Follows the turn of one message, for as long as it runs.

Promises an end: how the message ended, also where that was before it was followed, or was told while nobody listened.
Knows no encoding and no socket.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass
from datetime import datetime

from picklebot.core.bus import Subscription
from picklebot.core.events import Event, TextDelta, ToolFinished, ToolStarted, TurnFinished
from picklebot.gateway.openai.request import Refusal
from picklebot.gateway.openai.saying import Saying
from picklebot.store.base import Fate, Fates

FOLLOWED: tuple[type[Event], ...] = (TextDelta, ToolStarted, ToolFinished, TurnFinished)
INBOX = 1024  #: events between the daemon and a client; the oldest go, because no client is waited for
_FAILED: dict[str, tuple[int, str]] = {
    "LimitReached": (429, "limit_reached"),
    "DaySpent": (429, "budget_exceeded"),
    "Parked": (503, "model_unavailable"),
    "Stopping": (503, "stopping"),
    "ContextTooLong": (400, "context_length_exceeded"),
    "ModelError": (502, "model_error"),
    "ModelRejected": (502, "model_error"),
    "ModelUnavailable": (503, "model_unavailable"),
    "ConfigError": (503, "not_configured"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """How a turn is watched. `every`: seconds after which a silent one is looked at, and its client told of it."""

    fates: Fates
    now: Callable[[], datetime]
    closing: asyncio.Event
    every: float = 15.0


class Following:
    """One message."""

    def __init__(self, event_id: str, events: Subscription[Event], watch: Watch) -> None:
        self._event_id = event_id
        self._events = events
        self._watch = watch
        self._saying = Saying()

    async def pieces(self) -> AsyncGenerator[str, None]:
        """Yield what is said as it is said, and "" where nothing was for a while.

        Raises:
            Refusal: it ended without an answer.
        """
        closing = asyncio.create_task(self._watch.closing.wait(), name="end of the daemon")
        closing.add_done_callback(lambda _: self._events.close())
        try:
            while not (fate := await self._look()).over:
                async for piece in self._until_it_ends():
                    yield piece
                if closing.done():
                    raise failure("Stopping", "the daemon stops; the answer comes after its restart")
        finally:
            closing.cancel()
        if fate.state in {"failed", "dead"}:
            raise failure(fate.kind or "", fate.error or "the turn failed")
        if rest := self._saying.end(fate.reply):
            yield rest

    async def _look(self) -> Fate:
        fate = await self._watch.fates.of(self._event_id, self._watch.now())
        if fate.state == "parked":
            until = f"{fate.until:%Y-%m-%d %H:%M} UTC" if fate.until else "later"
            raise failure(fate.kind or "Parked", f"{fate.error or 'it cannot go on now'}; it goes on after {until}")
        return fate

    async def _until_it_ends(self) -> AsyncGenerator[str, None]:
        """Yield what is said until the turn says that it has ended, or says nothing for a while."""
        while True:
            try:
                async with asyncio.timeout(self._watch.every):
                    event = await anext(self._events)
            except TimeoutError:
                yield ""
                return
            except StopAsyncIteration:
                return
            match event:
                case TurnFinished() if event.ends(self._event_id):
                    return
                case TextDelta() | ToolStarted() if event.cause_id == self._event_id:
                    if piece := self._saying.hear(event):
                        yield piece
                case _:
                    pass


def failure(kind: str, words: str) -> Refusal:
    """Return the refusal that a turn's failure is. Its turn has been taken: asked again, it would be another one."""
    status, code = _FAILED.get(kind, (502, "turn_failed"))
    return Refusal(status, words, code=code, again=False)
