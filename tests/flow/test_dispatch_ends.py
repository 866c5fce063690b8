"""Callers and children that are stopped, parked, put back or set aside."""

import asyncio
import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from picklebot.core.events import DispatchEvent, DispatchResultEvent
from picklebot.core.messages import Message
from picklebot.errors import ModelUnavailable
from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel, FakeClock
from tests.flow.conftest import Daemon, Stored
from tests.flow.players import Line, Players, asks, call, crash, paying, results_of, says


async def test_stop_ends_the_children_too(daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]) -> None:
    agents(pickle={}, cookie={}, scout={})
    asked = asyncio.Event()

    async def never(request: ModelRequest) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    model = Players(pickle=asks("cookie"), cookie=asks("scout"), scout=never)
    async with daemon(model, channel) as app:
        with app.bus.subscribe(DispatchResultEvent) as results:
            await channel.say("x")
            await asked.wait()
            await channel.say("/stop")
            assert {(await channel.heard())[1] for _ in range(2)} == {"Stopping.", "Stopped."}
            ends = [await anext(results) for _ in range(2)]
        counts = await app.store.ledger.counts()
    assert {end.error for end in ends} == {"it was stopped"}
    assert (counts.done, counts.open, counts.running) == (4, 0, 0)


async def test_a_child_that_has_not_begun_ends_with_its_parent(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={"max_concurrency": 1})
    asked, free = asyncio.Event(), asyncio.Event()

    async def held(request: ModelRequest) -> str:
        asked.set()
        await free.wait()
        return "free"

    async with daemon(Players(pickle=asks("cookie"), cookie=held), channel) as app:
        await channel.say("holds the slot", peer="bob", agent="cookie")
        await asked.wait()
        with app.bus.subscribe(DispatchEvent) as tasks, app.bus.subscribe(DispatchResultEvent) as results:
            await channel.say("x")
            await anext(tasks)
            await channel.say("/stop")
            assert {(await channel.heard())[1] for _ in range(2)} == {"Stopping.", "Stopped."}
            free.set()
            end = await anext(results)
        counts = await app.store.ledger.counts()
    assert end.error == "the turn that asked for it has ended"
    assert (counts.open, counts.failed) == (0, 1)


async def test_a_parent_out_of_time_ends_its_children(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={"budget": "{turn_seconds: 0.3}"}, cookie={})

    async def never(request: ModelRequest) -> str:
        await asyncio.Event().wait()
        return "never"

    async with daemon(Players(pickle=asks("cookie"), cookie=never), channel) as app:
        with app.bus.subscribe(DispatchResultEvent) as results:
            await channel.say("x")
            assert "longer than" in (await channel.heard())[1]
            await anext(results)
        counts = await app.store.ledger.counts()
    assert counts.open == 0


async def test_a_daemon_that_stops_puts_both_back_and_both_go_on(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], mine: Path
) -> None:
    agents(pickle={}, cookie={})
    asked = asyncio.Event()

    async def never(request: ModelRequest) -> Line:
        if not results_of(request):
            return paying(7)
        asked.set()
        await asyncio.Event().wait()
        return "never"

    first = Players(pickle=asks("cookie"), cookie=never)
    async with daemon(first, channel, grace=0.05):
        await channel.say("x")
        await asked.wait()
    assert channel.silent
    second = Players(pickle=asks("cookie"), cookie=says("here after all"))
    async with daemon(second, channel) as app:
        assert json.loads((await channel.heard())[1])["result"] == "here after all"
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done) == (2, 2)
    assert mine.read_text() == "7\n"
    assert len(second.requests["pickle"]) == len(second.requests["cookie"]) == 1, "no step is asked for again"


async def test_stopping_does_not_wait_for_a_parent_that_waits(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    asked, free = asyncio.Event(), asyncio.Event()

    async def held(request: ModelRequest) -> str:
        asked.set()
        await free.wait()
        return "in the end"

    async with asyncio.timeout(10):
        async with daemon(Players(pickle=asks("cookie"), cookie=held), channel, grace=60.0) as app:
            session = (await channel.say_and_settle("x")).session_id
            await asked.wait()

            def look() -> None:  # until the daemon that stops has put the parent back
                if app.staff.taker.running(session):
                    asyncio.get_running_loop().call_later(0.001, look)
                else:
                    free.set()

            look()
    assert channel.silent
    async with daemon(Players(pickle=asks("cookie")), channel):  # its child is done, and is not asked again
        assert json.loads((await channel.heard())[1])["result"] == "in the end"


async def test_a_child_that_is_parked_parks_its_parent_and_both_go_on_in_time(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    away = [ModelUnavailable("overloaded", retry_after=600)]
    model = Players(pickle=asks("cookie"), cookie=lambda request: away.pop() if away else "back")
    async with daemon(model, channel) as app:
        await channel.say("x")
        until = clock.now() + timedelta(seconds=600)
        assert (await channel.heard())[1] == (
            f"I have to wait: cookie, whom I asked, has to wait: overloaded. I will answer at {until:%H:%M} UTC."
        )
        counts = await app.store.ledger.counts()
        assert (counts.open, counts.running) == (2, 0)
        clock.advance(seconds=601)
        assert json.loads((await channel.heard())[1])["result"] == "back"
    assert channel.silent


async def test_a_call_beside_one_that_parks_is_not_cut_short(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, agents: Callable[..., None], mine: Path
) -> None:
    agents(pickle={}, cookie={})
    away = [ModelUnavailable("overloaded", retry_after=600)]

    def ask_and_wait(request: ModelRequest) -> Line:
        if results := results_of(request):
            return " & ".join(results)
        other = {"type": "tool_use", "id": "s", "name": "slow", "input": {}}
        return Message("assistant", (call("cookie", "1"), other))

    model = Players(pickle=ask_and_wait, cookie=lambda request: away.pop() if away else "back")
    async with daemon(model, channel):
        await channel.say("x")
        assert "I have to wait" in (await channel.heard())[1]
        clock.advance(seconds=601)
        assert (await channel.heard())[1].endswith(" & slowly")
    assert len(model.requests["pickle"]) == 2


async def test_a_child_that_keeps_killing_the_daemon_is_set_aside_and_its_parent_told(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], stored: Stored
) -> None:
    agents(pickle={}, cookie={})
    asked = asyncio.Event()

    async def never(request: ModelRequest) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    async with daemon(Players(pickle=asks("cookie"), cookie=never), channel, grace=0.01):
        await channel.say("x")
        await asked.wait()
    async with stored() as store:
        for _ in range(3):  # three lives in which both were begun and the daemon was killed
            await crash(store)
    async with daemon(Players(pickle=asks("cookie"), cookie=says("never")), channel) as app:
        assert "cookie did not finish: its turn was begun 3 times and never ended" in (await channel.heard())[1]
        counts = await app.store.ledger.counts()
    assert (counts.done, counts.dead, counts.open) == (1, 1, 0)


async def test_parent_and_child_that_are_both_suspects_do_not_wait_for_one_another(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], stored: Stored
) -> None:
    agents(pickle={}, cookie={})
    asked = asyncio.Event()

    async def never(request: ModelRequest) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    async with daemon(Players(pickle=asks("cookie"), cookie=never), channel, grace=0.01):
        await channel.say("x")
        await asked.wait()
    async with stored() as store:
        await crash(store)
        await crash(store)
        [(parent, _), *_] = await store.inbox.due(FakeClock().now(), limit=9)
        await store.inbox.begin(parent, FakeClock().now(), alone=True)  # killed before the child was begun
    async with daemon(Players(pickle=asks("cookie"), cookie=says("at last")), channel), asyncio.timeout(10):
        assert json.loads((await channel.heard())[1])["result"] == "at last"


async def test_a_caller_that_keeps_killing_the_daemon_is_set_aside_although_its_child_is_innocent(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], stored: Stored
) -> None:
    agents(pickle={}, cookie={})
    asked = asyncio.Event()

    async def never(request: ModelRequest) -> str:
        asked.set()
        await asyncio.Event().wait()
        return "never"

    async with daemon(Players(pickle=asks("cookie"), cookie=never), channel, grace=0.01):
        await channel.say("x")
        await asked.wait()
    async with stored() as store:
        now = FakeClock().now()
        (caller, _), (child, _) = await store.inbox.due(now, limit=9)
        for _ in range(3):  # the child was looked at first, and put back because nobody waited for it yet
            turn = await store.inbox.begin(child, now, alone=True)
            assert turn is not None
            await store.inbox.release(turn)
            await store.inbox.begin(caller, now, alone=True)
    async with daemon(Players(pickle=asks("cookie"), cookie=says("never")), channel) as app:
        with app.bus.subscribe(DispatchResultEvent) as results:
            assert "I have set this message aside" in (await channel.heard())[1]
            async with asyncio.timeout(5):
                while (await app.store.ledger.counts()).open:
                    await anext(results)
        counts = await app.store.ledger.counts()
    assert (counts.dead, counts.failed, counts.open) == (1, 1, 0)
