"""What a call has cost is written down, whoever leaves."""

import asyncio

import pytest

from picklebot.agent.asking import Asker, Candidate, RetryBudget
from picklebot.agent.budget import Purse
from picklebot.agent.money import Money
from picklebot.agent.paid_model import PaidModel
from picklebot.agent.purses import TurnPurses
from picklebot.core.journal import RecordedStep
from picklebot.models.base import Usage
from picklebot.testing import FakeClock
from tests.agent.test_asking import REQUEST, Cut, Ear


def price(model: str, usage: Usage) -> float:
    """Return a cent for each token."""
    return (usage.input_tokens + usage.output_tokens) / 100


async def test_whoever_leaves_while_a_cut_answer_is_written_down_has_the_next_one_written_down_too(
    clock: FakeClock,
) -> None:
    written: list[tuple[str, float | None]] = []
    writing, free = asyncio.Event(), asyncio.Event()

    async def write_down(step: RecordedStep) -> None:
        writing.set()
        await free.wait()
        written.append((step.reply.stop_reason, step.cost_usd))

    candidates = [Candidate(Cut("lost words", "kept"))]
    purse = Purse("the turn's budget", 1_000_000.0)
    model = PaidModel(
        Asker(clock=clock, budget=RetryBudget(), jitter=lambda most: most),
        candidates,
        Money(TurnPurses(purse, [purse]), price=price, candidates=candidates),
        count=write_down,
    )
    asking = asyncio.create_task(model.ask(0, REQUEST, Ear()))
    await clock.asleep()
    clock.advance(seconds=30)
    await writing.wait()
    asking.cancel()
    await asyncio.sleep(0)
    free.set()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert written == [("cut", 0.09), ("end_turn", 0.15)]
    assert purse.spent == pytest.approx(0.24)
    assert purse.bears(999_999.0), "nothing is set aside any more"
