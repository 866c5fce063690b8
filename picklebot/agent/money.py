"""What one turn's calls cost: the worst case before each, the price of what was used after.

Promises that a call is made only if its worst case fits every purse that the turn pays from, and that nothing is set
aside in one of them while another refuses. Knows prices only through a function, and purses only as ceilings.
"""

import logging
import math
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeAlias

from picklebot.agent.asking import Candidate
from picklebot.agent.budget import Purse
from picklebot.agent.purses import TurnPurses
from picklebot.core.journal import RecordedStep
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply, Usage
from picklebot.errors import LimitReached
from picklebot.models.base import ModelRequest, Spending

logger = logging.getLogger(__name__)

Price: TypeAlias = Callable[[str, Usage], float | None]

BYTES_PER_TOKEN = 2.0
"""Prose and code have 3 to 4 bytes a token, Chinese about 2, digits and base64 about 2: a worst case takes the least."""
SHARE = 0.5  #: of a turn's budget that one call's input may take at most before a conversation is made shorter
CUT = "cut"  #: the stop reason of an answer that came to nothing
_MANY = 1_000_000
IMAGE_TOKENS = 5_000  #: an image costs by its pixels and not by its bytes, and never more than this


def weigh(message: Message) -> float:
    """Return how many tokens a message takes at most."""
    images = [block for block in message.blocks if block.get("type") == "image"]
    if not images:
        return len(message.to_json().encode()) / BYTES_PER_TOKEN
    rest = Message(message.role, tuple(block for block in message.blocks if block.get("type") != "image"))
    return IMAGE_TOKENS * len(images) + weigh(rest)


def weigh_around(request: ModelRequest) -> float:
    """Return how many tokens the system prompt and the tools take at most."""
    size = len(request.system.encode()) + sum(len(repr(tool).encode()) for tool in request.tools)
    return size / BYTES_PER_TOKEN


class Money:
    """What one turn may spend, and has spent."""

    def __init__(
        self,
        purses: TurnPurses,
        *,
        price: Price,
        candidates: Sequence[Candidate],
        refuse_unpriced: bool = False,
    ) -> None:
        self._purses = purses
        self._price = price
        self._names = [candidate.name or candidate.model.name for candidate in candidates]
        self._unbounded = [c.name or c.model.name for c in candidates if c.paid] if refuse_unpriced else []

    def count(self, cost: float | None) -> None:
        """Count a step that was paid for before a restart; the days know of it already."""
        self._purses.own.count(cost or 0.0)

    @property
    def bears(self) -> float:
        """Return the weight of input from which on a call takes so much of the turn's budget that few could follow."""
        dearest = max((self._price(name, Usage(cache_write_tokens=_MANY)) or 0.0 for name in self._names), default=0.0)
        return SHARE * self._purses.own.ceiling * _MANY / dearest if dearest else math.inf

    @asynccontextmanager
    async def reserved(self, request: ModelRequest, weight: float | None = None) -> AsyncGenerator["OpenBill", None]:
        """Set aside the worst case of one call, and yield what settles it. Waits while calls in flight hold the rest.

        `weight` is what all of the request weighs, where that is known already.

        Raises:
            LimitReached: it might pass a ceiling of this turn, or has no price where one is needed.
            DaySpent: it might pass a day's ceiling.
        """
        bill = OpenBill(self, self._worst(request, weight), most=request.max_tokens)
        await bill.attempt()
        try:
            yield bill
        finally:
            bill.close()

    async def set_aside(self, worst: float) -> None:
        """Set `worst` aside in every purse, once all of them bear it.

        Raises:
            LimitReached, DaySpent: one of them never will, or not today.
        """
        while (full := self._full(worst)) is not None:
            await full.changed()
        for purse in self._purses.all:  # no await since they were asked
            purse.reserve(worst)

    def settle(self, worst: float, actual: float) -> None:
        """Give back what was set aside, and count what was spent."""
        if actual > worst:
            logger.warning("a call cost $%.4f, more than the $%.4f set aside for it", actual, worst)
        for purse in self._purses.all:
            purse.settle(worst, actual)

    def cost(self, reply: ModelReply) -> float | None:
        """Return what a reply cost; one whose model has another name than was asked for counts as the dearest asked."""
        cost = self._price(reply.model, reply.usage)
        asked = [self._price(name, reply.usage) for name in self._names]
        if cost is None and None not in asked:
            cost = max((each for each in asked if each is not None), default=None)
        return cost

    def _full(self, worst: float) -> Purse | None:
        """Return a purse that must be waited for. Each is asked, because any may refuse for good."""
        full = [purse for purse in self._purses.all if not purse.bears(worst)]
        return full[0] if full else None

    def _worst(self, request: ModelRequest, weight: float | None) -> float:
        """Return what the dearest candidate may cost: all of the input written to its cache, the longest answer."""
        tokens = weigh_around(request) + sum(map(weigh, request.messages)) if weight is None else weight
        usage = Usage(cache_write_tokens=int(tokens), output_tokens=request.max_tokens)
        for name in self._unbounded:
            if self._price(name, usage) is None:
                raise LimitReached(
                    f"the price of {name!r} is not known, so no budget could hold it: "
                    "write it under model.prices, or set limits.unpriced to allow"
                )
        return max((self._price(name, usage) or 0.0 for name in self._names), default=0.0)


class OpenBill:
    """One call: what is set aside for the attempt that is going on, and what the others have cost."""

    def __init__(self, money: Money, worst: float, *, most: int) -> None:
        """`most` are the tokens that one answer may have."""
        self.lost: list[RecordedStep] = []
        """The attempts that came to nothing and were billed all the same."""
        self._money = money
        self._worst = worst
        self._most = most
        self._held = False

    async def attempt(self) -> None:
        """Set the worst case of one more attempt aside, unless it is.

        Raises:
            LimitReached, DaySpent: it might pass a ceiling.
        """
        if not self._held:
            await self._money.set_aside(self._worst)
            self._held = True

    def lose(self, spending: Spending) -> None:
        """Count an attempt that came to nothing; what it wrote and nobody counted takes as many tokens as it can."""
        written = min(math.ceil(spending.written / BYTES_PER_TOKEN), self._most)
        usage = replace(spending.usage, output_tokens=max(spending.usage.output_tokens, written))
        reply = ModelReply(message=Message("assistant", ()), stop_reason=CUT, usage=usage, model=spending.model)
        self.lost.append(RecordedStep(n=0, reply=reply, cost_usd=self.settle(reply)))

    def settle(self, reply: ModelReply) -> float | None:
        """Count what a reply cost, and return it; None: its price is not known."""
        cost = self._money.cost(reply)
        self._money.settle(self._worst, cost or 0.0)
        self._held = False
        return cost

    def close(self) -> None:
        """Give back what is set aside still."""
        if self._held:
            self._money.settle(self._worst, 0.0)
            self._held = False
