"""Retries, fallbacks and parking, on a clock that the test holds."""

import asyncio

import pytest

from picklebot.agent.asking import ATTEMPTS, Asker, Candidate, Parked, RetryBudget
from picklebot.core.messages import Message
from picklebot.errors import LimitReached, ModelRejected, ModelUnavailable
from picklebot.models.base import ModelRequest, Spending, Usage
from picklebot.testing import FakeClock, ScriptedModel
from picklebot.testing.model import USAGE, Line

REQUEST = ModelRequest(system="", messages=[Message.user("hi")])
OVERLOADED = ModelUnavailable("overloaded")


class Ear:
    """Remembers what was said, and when it began anew."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, bool]] = []

    async def __call__(self, piece: str, restart: bool) -> None:
        self.heard.append((piece, restart))


class Open:
    """A bill that bears everything, and remembers what was asked of it."""

    def __init__(self) -> None:
        self.attempts = 0
        self.lost: list[Spending] = []

    async def attempt(self) -> None:
        self.attempts += 1

    def lose(self, spending: Spending) -> None:
        self.lost.append(spending)


class Cut(ScriptedModel):
    """Says what it takes; its first answer breaks off after the first word."""

    async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def]
        first = len(self.requests) == 0
        yield TAKEN
        async for event in super().stream(request):
            yield event
            if first:
                raise ModelUnavailable("cut")


TAKEN = Spending(model="m", usage=Usage(input_tokens=7), written=3)


def asker(clock: FakeClock, *, burst: float = 100.0) -> Asker:
    return Asker(clock=clock, budget=RetryBudget(burst=burst), jitter=lambda most: most)


async def answer(clock: FakeClock, *script: Line, burst: float = 100.0) -> str:
    """Ask, letting time pass whenever the asker waits for it."""
    asking = asyncio.create_task(
        asker(clock, burst=burst).ask([Candidate(ScriptedModel(*script))], REQUEST, Ear(), bill=Open())
    )
    while not asking.done():
        sleeping = asyncio.create_task(clock.asleep())
        await asyncio.wait({asking, sleeping}, return_when=asyncio.FIRST_COMPLETED)
        sleeping.cancel()
        clock.advance(seconds=30)
    return (await asking).message.text


async def test_an_overloaded_model_is_asked_again(clock: FakeClock) -> None:
    assert await answer(clock, OVERLOADED, OVERLOADED, "here") == "here"


async def test_asking_again_comes_to_an_end(clock: FakeClock) -> None:
    with pytest.raises(ModelUnavailable, match="overloaded"):
        await answer(clock, *[OVERLOADED] * ATTEMPTS)


async def test_a_rejection_is_not_asked_again(clock: FakeClock) -> None:
    with pytest.raises(ModelRejected):
        await answer(clock, ModelRejected("bad key"), "never")


async def test_a_short_retry_after_is_waited_for(clock: FakeClock) -> None:
    started = clock.monotonic()
    assert await answer(clock, ModelUnavailable("limited", retry_after=7.0), "here") == "here"
    assert clock.monotonic() - started >= 7.0


async def test_a_long_retry_after_parks_the_turn_and_is_capped(clock: FakeClock) -> None:
    with pytest.raises(Parked) as caught:
        await answer(clock, ModelUnavailable("limited", retry_after=86_400.0))
    assert (caught.value.until - clock.now()).total_seconds() <= 3600


async def test_the_retry_budget_is_shared_so_that_an_outage_is_no_storm(clock: FakeClock) -> None:
    with pytest.raises(ModelUnavailable):
        await answer(clock, OVERLOADED, OVERLOADED, "too late", burst=1.0)


async def test_the_next_model_answers_for_an_overloaded_one_and_then_hands_back(clock: FakeClock) -> None:
    first, second = ScriptedModel(OVERLOADED, OVERLOADED, "back"), ScriptedModel("stand-in", "again")
    second.name = "second"
    both = [Candidate(first), Candidate(second)]
    asks = asker(clock)
    reply = asyncio.create_task(asks.ask(both, REQUEST, Ear(), bill=Open()))
    await clock.asleep()
    clock.advance(seconds=1)
    assert (await reply).message.text == "stand-in"
    assert (await asks.ask(both, REQUEST, Ear(), bill=Open())).message.text == "again"
    clock.advance(seconds=60)
    assert (await asks.ask(both, REQUEST, Ear(), bill=Open())).message.text == "back"


async def test_text_of_a_failed_attempt_is_declared_void(clock: FakeClock) -> None:
    ear, asks, bill = Ear(), asker(clock), Open()
    asking = asyncio.create_task(asks.ask([Candidate(Cut("lost words", "kept"))], REQUEST, ear, bill=bill))
    await clock.asleep()
    clock.advance(seconds=30)
    await asking
    restarts = [index for index, (_, restart) in enumerate(ear.heard) if restart]
    assert restarts == [1]
    assert "".join(piece for piece, _ in ear.heard[1:]) == "kept"
    assert bill.lost == [TAKEN], "the one that was cut, and not the one that answered"
    assert bill.attempts == 2


async def test_what_an_answer_took_that_nobody_waits_for_any_more_is_told(clock: FakeClock) -> None:
    silent, bill = asyncio.Event(), Open()

    async def never(request: ModelRequest) -> str:
        silent.set()
        await asyncio.Event().wait()
        return ""

    asking = asyncio.create_task(asker(clock).ask([Candidate(Cut(never))], REQUEST, Ear(), bill=bill))
    await silent.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert bill.lost == [TAKEN]


async def test_a_whole_answer_counts_where_its_asker_leaves_as_it_is_closed(clock: FakeClock) -> None:
    closing, bill = asyncio.Event(), Open()

    class Slow(ScriptedModel):
        async def stream(self, request: ModelRequest):  # type: ignore[no-untyped-def]
            try:
                async for event in super().stream(request):
                    yield event
            finally:
                closing.set()
                await asyncio.Event().wait()

    asking = asyncio.create_task(asker(clock).ask([Candidate(Slow("whole"))], REQUEST, Ear(), bill=bill))
    await closing.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    assert [spending.usage for spending in bill.lost] == [USAGE]


async def test_a_bill_that_bears_no_other_attempt_ends_the_asking(clock: FakeClock) -> None:
    class Short(Open):
        async def attempt(self) -> None:
            if self.lost:
                raise LimitReached("no money")

    asking = asyncio.create_task(asker(clock).ask([Candidate(Cut("a", "b"))] * 2, REQUEST, Ear(), bill=Short()))
    await clock.asleep()
    clock.advance(seconds=30)
    with pytest.raises(LimitReached):
        await asking
