"""A platform that is gone for a day, and all that was said to the bot meanwhile, at once, when it is back.

Knows stages and the daemon as a whole; nothing of a platform.
"""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass

from picklebot.core.messages import Message
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest
from picklebot.testing import FakeChannel, FakeClock
from picklebot.testing.model import USAGE
from tests.channels.stages import Stage
from tests.flow.conftest import Daemon

HELD = "wait until they are gone"
AWAY = 23  #: hours; what was to be said when it went is tried for a day


def asked(request: ModelRequest) -> str:
    """Return what the last message of a request says."""
    return request.messages[-1].text.rpartition("</context>\n\n")[2]


class Shouting:
    """Says back what it hears, louder; `HELD` once it is let."""

    name = "shouting"

    def __init__(self) -> None:
        self.held, self.let_go = asyncio.Event(), asyncio.Event()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Say it."""
        words = asked(request)
        if words == HELD:
            self.held.set()
            await self.let_go.wait()
        message = Message.assistant(words.upper())
        yield ModelReply(message=message, stop_reason="end_turn", usage=USAGE, model=self.name)

    async def aclose(self) -> None:
        """Hold nothing."""


@dataclass(frozen=True, slots=True)
class Return:
    """How it went: what each person has read since the outage, what is wrong with it, and how far others waited.

    `seconds` is from the return to the last reply; `behind` is how many of those were still to come when somebody who
    spoke on another channel in the middle of it had an answer.
    """

    problems: tuple[str, ...]
    seconds: float
    behind: int


async def outage_and_burst(stage: Stage, daemon: Daemon, clock: FakeClock, *, count: int, people: int) -> Return:
    """Let `people` say `count` things to a bot whose platform is away, and have it come back."""
    everybody = range(1, people + 1)
    stage.configure(everybody)
    model, other = Shouting(), FakeChannel("other")
    async with daemon(model, other):
        for person in everybody:
            stage.say("hi", person=person)
        await _told(stage, clock, people, everybody)
        stage.say(HELD)
        await model.held.wait()
        await stage.leave()
        model.let_go.set()
        for number in range(count):
            stage.say(f"m{number}", person=1 + number % people)
        await other.say("and you?")
        assert await other.heard() == ("ann", "AND YOU?"), "nobody else waits for a platform that is away"
        clock.advance(hours=AWAY)
        await stage.come_back()
        began = time.monotonic()
        await _told(stage, clock, people + 1 + min(people, count), everybody)
        await other.say("still there?")
        assert await other.heard() == ("ann", "STILL THERE?")
        behind = people + 1 + count - stage.told(everybody)
        await _told(stage, clock, people + 1 + count, everybody)
        seconds = time.monotonic() - began
    problems: list[str] = []
    for person in everybody:
        held = [HELD.upper()] if person == 1 else []
        expected = ["HI", *held, *(f"M{number}" for number in range(person - 1, count, people))]
        if (heard := stage.heard(person)) != expected:
            problems.append(f"{person} said {len(expected)} things and read {len(heard)}: {_first(expected, heard)}")
    return Return(tuple(problems), seconds, behind)


async def _told(stage: Stage, clock: FakeClock, count: int, people: range) -> None:
    """Wait until the bot has said so many things, as time passes; give up when nothing comes any more."""
    before, idle = -1, 0
    while idle < 100:
        with suppress(TimeoutError):
            async with asyncio.timeout(0.3):
                return await stage.until(lambda: stage.told(people) >= count)
        told = stage.told(people)
        before, idle = told, idle + 1 if told == before else 0
        clock.advance(seconds=5)
    raise TimeoutError(f"{stage.told(people)} of {count} replies have come")


def _first(expected: list[str], heard: list[str]) -> str:
    """Return where two lists part."""
    at = next((n for n, (one, two) in enumerate(zip(expected, heard, strict=False)) if one != two), -1)
    return f"from number {at}: {heard[at : at + 3]} instead of {expected[at : at + 3]}"
