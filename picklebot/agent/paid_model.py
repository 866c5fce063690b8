"""The model of a turn: who is asked, and what it may cost.

Promises that a call is made only where its worst case is paid for, and that an attempt which came to nothing counts.
Knows nothing of what is asked.
"""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeAlias

from picklebot.agent.asking import Asker, Candidate, OnText
from picklebot.agent.money import Money
from picklebot.core.finishing import to_the_end
from picklebot.core.journal import RecordedStep
from picklebot.models.base import ModelRequest

Count: TypeAlias = Callable[[RecordedStep], Coroutine[Any, Any, None]]


async def forget(step: RecordedStep) -> None:
    """Write nothing down."""


class PaidModel:
    """Asks the candidates of one turn, and pays from its purses."""

    def __init__(self, asker: Asker, candidates: Sequence[Candidate], money: Money, *, count: Count = forget) -> None:
        """`count` writes down what was billed and came to nothing."""
        self._write_down = count
        self._asker = asker
        self._candidates = candidates
        self._money = money

    @property
    def window(self) -> int | None:
        """How many tokens the first choice can read and write in one call; None: not known."""
        return self._candidates[0].window if self._candidates else None

    @property
    def bears(self) -> float:
        """Return the weight of input from which on a call takes too much of the turn's budget."""
        return self._money.bears

    def count(self, cost: float | None) -> None:
        """Count a step that was paid for before a restart."""
        self._money.count(cost)

    async def ask(
        self, n: int, request: ModelRequest, on_text: OnText, *, weight: float | None = None, tokens: float = 0.0
    ) -> RecordedStep:
        """Return the answer as step `n`. `weight` and `tokens`: what the request takes at most, and by an estimate.

        Raises:
            LimitReached, DaySpent: it might pass a ceiling.
            Parked, ModelError: there is no answer.
        """
        step: RecordedStep | None = None
        async with self._money.reserved(request, weight) as bill:
            try:
                reply = await self._asker.ask(self._candidates, request, on_text, bill=bill, tokens=tokens)
                step = RecordedStep(n=n, reply=reply, cost_usd=bill.settle(reply))
                return step
            finally:
                bill.close()  # nothing goes on any more: others need not wait until it is written down
                if bill.lost:
                    await self._write_off_before(bill.lost, step)

    async def write_off(self, steps: Sequence[RecordedStep]) -> None:
        """Write down what was billed and is of no use, so that its cost is not forgotten; who is cancelled waits for it."""
        await to_the_end(self._write_all(steps), name="what answers cost that are of no use")

    async def _write_off_before(self, lost: Sequence[RecordedStep], step: RecordedStep | None) -> None:
        """Write off what came to nothing before `step`; that one too, where whoever wanted it leaves meanwhile."""
        try:
            await self.write_off(lost)
        except asyncio.CancelledError:
            if step is not None:
                await self.write_off([step])
            raise

    async def _write_all(self, steps: Sequence[RecordedStep]) -> None:
        for step in steps:
            await self._write_down(step)
