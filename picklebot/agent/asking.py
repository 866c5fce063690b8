"""Asking a model until it answers: retries, fallbacks, and when to stop waiting.

Promises full jitter between attempts, a capped wait, one retry budget for all sessions so that an outage does not
become a storm, and that a long wait parks the turn instead of holding its slot. Knows no tool and no store.
"""

import logging
import random
from collections.abc import Awaitable, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol, TypeAlias, assert_never

from picklebot.clock import Clock
from picklebot.core.replies import ModelReply
from picklebot.errors import ContextTooLong, ModelUnavailable, TurnError
from picklebot.models.base import Model, ModelRequest, Spending, TextChunk, ThinkingChunk

logger = logging.getLogger(__name__)

ATTEMPTS = 5  #: of one model for one step
FIRST_DELAY, MAX_DELAY = 0.5, 8.0  #: seconds; full jitter below twice the last (AWS, "Exponential Backoff And Jitter")
HOLD = 20.0  #: seconds a turn may hold its slot waiting on one Retry-After; longer ones are parked
PARK_MAX = 3600.0  #: seconds; an endpoint that says more is asked again after this
COOL_DOWN = 60.0  #: seconds for which an overloaded model is passed over while another one answers


class Parked(TurnError):
    """The endpoint says to come back later than a turn may wait."""

    asks = False  #: whether its notice asks for something, and so is worth being told again

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until

    @property
    def notice(self) -> str:
        """What the user reads."""
        return f"I have to wait: {self}. I will answer at {self.until:%H:%M} UTC."


@dataclass(frozen=True, slots=True)
class Candidate:
    """A model that may answer, and the name to ask it for (None: its own default). `paid`: its endpoint sends bills.

    `window` is how many tokens it can read and write in one call; None: not known.
    """

    model: Model
    name: str | None = None
    paid: bool = False
    window: int | None = None


class RetryBudget:
    """Lets retries be at most a fifth of all calls, and ten in a burst."""

    def __init__(self, *, burst: float = 10.0, share: float = 0.2) -> None:
        self._burst = burst
        self._share = share
        self._tokens = burst

    def earn(self) -> None:
        """Count a first attempt."""
        self._tokens = min(self._burst, self._tokens + self._share)

    def take(self) -> bool:
        """Return whether one more retry is allowed."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


class Bill(Protocol):
    """Holds what the attempts of one call may cost."""

    async def attempt(self) -> None:
        """Wait until there is money for one more attempt.

        Raises:
            LimitReached, Parked: it might pass a ceiling, because those before it have cost something.
        """
        ...

    def lose(self, spending: Spending) -> None:
        """Count an attempt that came to nothing, as far as is known what it took."""
        ...


def _full_jitter(most: float) -> float:
    return random.uniform(0.0, most)  # noqa: S311  (no secret hangs on it)


OnText: TypeAlias = Callable[[str, bool], Awaitable[None]]


class _Speech:
    """Passes text on, and marks the first piece after a failed attempt as a restart."""

    def __init__(self, on_text: OnText) -> None:
        self._on_text = on_text
        self._said = False
        self._void = False

    def again(self) -> None:
        """A new attempt begins: what was said so far is void."""
        self._void, self._said = self._void or self._said, False

    async def say(self, piece: str) -> None:
        void, self._void, self._said = self._void, False, True
        await self._on_text(piece, void)


class Asker:
    """Asks candidates in order. One for the whole daemon: it remembers who is overloaded."""

    def __init__(self, *, clock: Clock, budget: RetryBudget, jitter: Callable[[float], float] = _full_jitter) -> None:
        self._clock = clock
        self._budget = budget
        self._jitter = jitter
        self._cooling: dict[tuple[str, str | None], float] = {}

    async def ask(
        self,
        candidates: Sequence[Candidate],
        request: ModelRequest,
        on_text: OnText,
        *,
        bill: Bill,
        tokens: float = 0.0,
    ) -> ModelReply:
        """Return a whole reply of the first candidate that gives one.

        `on_text(piece, restart)` hears the text as it comes; `restart` says that what came before is void. `tokens` is
        an estimate of the request: a fallback whose window is smaller is not asked, for some would answer to a part.
        The `bill` is asked before each attempt, and told of those that came to nothing.

        Raises:
            LimitReached, Parked: the bill does not bear another attempt.
            Parked: every candidate is limited for longer than a turn may wait.
            ModelUnavailable: none answered.
            ModelRejected, ContextTooLong: one said that asking again is useless, or the last one's window is too small.
        """
        self._budget.earn()
        warm = [c for c in candidates if self._cooling.get(self._key(c), 0.0) <= self._clock.monotonic()]
        failure = ModelUnavailable("no model is configured")
        waits: list[float] = []
        speech = _Speech(on_text)
        for candidate in warm or candidates:
            try:
                if waits or candidate is not candidates[0]:
                    _check_window(candidate, tokens)
                last = candidate is (warm or candidates)[-1]
                return await self._ask_one(candidate, request, speech, bill=bill, last=last)
            except ContextTooLong as exc:
                raise ContextTooLong(str(exc), limit=exc.limit or candidate.window) from exc
            except ModelUnavailable as exc:
                failure = exc
                waits.append(exc.retry_after or 0.0)
                self._cooling[self._key(candidate)] = self._clock.monotonic() + COOL_DOWN
                logger.warning("%s does not answer: %s", self._label(candidate), exc)
        soonest = min(waits, default=0.0)
        if soonest > HOLD:
            until = self._clock.now() + timedelta(seconds=min(soonest, PARK_MAX))
            raise Parked(str(failure), until=until) from failure
        raise failure

    async def _ask_one(
        self, candidate: Candidate, request: ModelRequest, speech: _Speech, *, bill: Bill, last: bool
    ) -> ModelReply:
        request = replace(request, model=candidate.name)
        delay = FIRST_DELAY
        attempt = 1
        while True:
            try:
                await bill.attempt()
                return await _attempt(candidate.model, request, speech, bill)
            except ModelUnavailable as exc:
                wait = exc.retry_after if exc.retry_after is not None else self._jitter(delay)
                if attempt == ATTEMPTS or wait > HOLD or not self._budget.take():
                    raise
                logger.info("asking %s again in %.1f s: %s", self._label(candidate), wait, exc)
            # Only the last candidate is worth waiting for in full; before it, someone else may answer at once.
            if not last and attempt >= 2:
                raise ModelUnavailable(f"{self._label(candidate)} failed twice")
            await self._clock.sleep(wait)
            delay = min(delay * 2, MAX_DELAY)
            attempt += 1

    @staticmethod
    def _key(candidate: Candidate) -> tuple[str, str | None]:
        return (candidate.model.name, candidate.name)

    @staticmethod
    def _label(candidate: Candidate) -> str:
        return candidate.name or candidate.model.name


def _check_window(candidate: Candidate, tokens: float) -> None:
    """Raise ContextTooLong where a candidate's window is known to be too small."""
    if candidate.window is not None and tokens > candidate.window:
        raise ContextTooLong(
            f"the conversation of about {tokens:,.0f} tokens is too long for {candidate.name or candidate.model.name}, "
            f"which takes {candidate.window:,}",
            limit=candidate.window,
        )


async def _attempt(model: Model, request: ModelRequest, speech: _Speech, bill: Bill) -> ModelReply:
    speech.again()
    taken: Spending | None = None
    reply: ModelReply | None = None
    try:
        async with aclosing(model.stream(request)) as events:
            async for event in events:
                match event:
                    case TextChunk(text):
                        await speech.say(text)
                    case ThinkingChunk():
                        pass
                    case Spending():
                        taken = event
                    case ModelReply():
                        taken, reply = Spending(model=event.model, usage=event.usage), event
                        break
                    case _:
                        assert_never(event)
        if reply is None:
            raise ModelUnavailable("the model's answer ended before it was complete")
        taken = None  # only now that its stream is closed: whoever leaves before has it for nothing
        return reply
    finally:  # however it came to nothing: cut, refused late, or nobody wants it any more
        if taken is not None:
            bill.lose(taken)
