"""When a conversation is taken for one between two programs, and when it is not."""

import asyncio
from collections.abc import Iterable

import pytest

from picklebot.core.events import InboundEvent
from picklebot.core.source import Source
from picklebot.testing import FakeClock
from picklebot.workers.loops import ECHOES, REMEMBERED, REPEATS, LoopBreaker, Looping

GUEST, FILE, OWNER = Source("telegram", ("666", "-100")), Source("file", ("local",)), Source("telegram", ("42", "42"))


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


class Conversation:
    """Says things, has them answered, and lets time pass in between."""

    def __init__(self, clock: FakeClock, *, exchanges: int = 10) -> None:
        self.clock = clock
        self.told: list[str] = []
        self.loops = LoopBreaker(
            exchanges=exchanges,
            seconds=60,
            is_owner=lambda source: source == OWNER,
            watched=lambda source: source.channel == "telegram",
            now=clock.now,
            tell=self._tell,
        )

    async def _tell(self, words: str, about: InboundEvent) -> None:
        self.told.append(words)

    def event(self, text: str, source: Source = GUEST) -> InboundEvent:
        return InboundEvent(
            session_id="s", source=source, agent_id="a", content=text, key=text, created_at=self.clock.now()
        )

    async def say(self, text: str, *, source: Source = GUEST, answer: str = "yes", after: float = 1.0) -> None:
        self.clock.advance(seconds=after)
        event = self.event(text, source)
        await self.loops.admit(event)
        self.loops.answered(event, answer)

    async def stops_at(
        self, texts: Iterable[str], *, source: Source = GUEST, answer: str = "yes", after: float = 1.0
    ) -> int | None:
        for n, text in enumerate(texts):
            try:
                await self.say(text, source=source, answer=answer, after=after)
            except Looping:
                return n
        return None


def some(n: int) -> list[str]:
    return [f"message {number}" for number in range(n)]


async def test_a_long_run_of_quick_exchanges_is_stopped_and_told_the_owner_once(clock: FakeClock) -> None:
    talk = Conversation(clock)
    assert await talk.stops_at(some(50)) == 10, "the first one is no reaction to anything"
    assert await talk.stops_at(some(5)) == 0
    assert len(talk.told) == 1
    assert "/approve loop:telegram:666:-100" in talk.told[0]
    talk.loops.resume("loop:telegram:666:-100")
    assert await talk.stops_at(some(50)) == 10
    clock.advance(hours=24)
    assert await talk.stops_at(some(5)) is None, "a day later it goes on by itself"


async def test_nothing_else_is_a_loop(clock: FakeClock) -> None:
    assert await Conversation(clock).stops_at(some(50), after=7) is None, "people are slower"
    assert await Conversation(clock).stops_at(["go on"] * 100, source=OWNER, answer="go on") is None
    assert await Conversation(clock).stops_at(some(100), source=FILE) is None, "a program may ask a hundred questions"
    assert await Conversation(clock, exchanges=0).stops_at(["yes"] * 100) is None
    burst = Conversation(clock)
    await burst.say("hello")
    events = [burst.event(text) for text in some(100)]
    clock.advance(seconds=1)
    for event in events:  # written before they were answered
        await burst.loops.admit(event)
        burst.loops.answered(event, "yes")


@pytest.mark.parametrize(("source", "text", "at"), [(GUEST, "Thanks!", REPEATS), (FILE, "  YES ", ECHOES)])
async def test_the_same_words_again_and_again_are_a_loop_sooner(
    clock: FakeClock, source: Source, text: str, at: int
) -> None:
    assert await Conversation(clock, exchanges=50).stops_at([text] * 50, source=source) == at


async def test_a_turn_that_is_begun_again_counts_once(clock: FakeClock) -> None:
    talk = Conversation(clock)
    await talk.say("hello")
    clock.advance(seconds=1)
    event = talk.event("again")
    for _ in range(50):
        await talk.loops.admit(event)


async def test_what_is_remembered_is_bounded(clock: FakeClock) -> None:
    talk = Conversation(clock)
    for n in range(2 * REMEMBERED):
        await talk.say("hello", source=Source("telegram", (str(n), "-100")), after=0)
    await asyncio.gather(*(talk.say("hello", source=Source("telegram", (str(n), "-100"))) for n in range(3)))
    assert len(talk.loops._lately) == REMEMBERED  # memory is what this is about
