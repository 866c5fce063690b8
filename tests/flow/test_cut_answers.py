"""What is billed counts, also where nothing comes of it (P12)."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest

from picklebot.errors import ModelUnavailable
from picklebot.models.base import ModelEvent, ModelRequest, Spending, TextChunk, Usage
from picklebot.testing import FakeChannel, FakeClock
from picklebot.testing.model import Line
from tests.flow.conftest import Daemon, Stored
from tests.flow.test_budgets import Priced, costing, settle, spent, until_heard


class Cutting(Priced):
    """Breaks off, or says no more, each time that its script has an empty line; what it took was 8 cents."""

    def __init__(self, *script: Line, silent: bool = False) -> None:
        super().__init__(*script)
        self._silent = silent
        self.fell_silent = asyncio.Event()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        if self._script[0] != "":
            async for event in super().stream(request):
                yield event
            return
        self._script.pop(0)
        yield Spending(model=self.name, usage=Usage(output_tokens=8_000))
        yield TextChunk("so")
        if self._silent:
            self.fell_silent.set()
            await asyncio.Event().wait()
        raise ModelUnavailable("cut")


async def test_an_answer_that_is_cut_counts_and_the_next_attempt_must_fit(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, stored: Stored
) -> None:
    settle(workspace, "day_usd: 0.2")  # a worst case is a little above 8 cents: two attempts fit, and no third one
    async with daemon(Cutting("", costing(0.01)), channel):
        await channel.say("first")
        assert await until_heard(channel, clock, seconds=1) == ("ann", "done")
    assert await spent(stored) == pytest.approx(0.09)
    async with daemon(Cutting("", ""), channel):
        await channel.say("second")
        words = "I have to wait: today's budget of $0.20 is used up ($0.17 spent)."
        assert (await until_heard(channel, clock, seconds=1))[1].startswith(words)
    assert await spent(stored) == pytest.approx(0.17)


async def test_an_answer_that_the_user_stops_counts(daemon: Daemon, channel: FakeChannel, stored: Stored) -> None:
    model = Cutting("", silent=True)
    async with daemon(model, channel):
        await channel.say("go")
        await model.fell_silent.wait()
        await channel.say("/stop")
        assert (await channel.heard())[1] == "Stopping."
        assert (await channel.heard())[1] == "Stopped."
    assert await spent(stored) == pytest.approx(0.08)


async def test_restarts_do_not_let_a_turn_forget_what_it_has_spent(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None], stored: Stored
) -> None:
    agent("echo", budget="{turn_usd: 0.2}")
    for number in range(2):
        model = Cutting("", silent=True)
        async with daemon(model, channel, grace=0.01):
            if number == 0:
                await channel.say("go")
            await model.fell_silent.wait()
    async with daemon(Cutting(), channel):
        assert "its next step could pass the turn's budget of $0.20 ($0.16 spent)" in (await channel.heard())[1]
    assert await spent(stored) == pytest.approx(0.16)
