"""Replies reach their people, or are kept and shown."""

import asyncio

import pytest

from picklebot.core.bus import Overflow
from picklebot.core.events import DeliveryFailed, Event
from picklebot.errors import ChannelUnavailable, DeliveryRejected
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon


async def test_a_dead_channel_delays_only_itself(daemon: Daemon, clock: FakeClock) -> None:
    dead, alive = FakeChannel("dead"), FakeChannel("alive")
    dead.failures.append(ChannelUnavailable("no network"))
    async with daemon(ScriptedModel("a", "b"), dead, alive):
        await dead.say("x")
        first = await dead.attempted()
        await alive.say("y")
        assert await alive.heard() == ("ann", "b")
        assert dead.silent
        await clock.asleep()
        clock.advance(seconds=5)
        assert await dead.heard() == ("ann", "a")
        assert await dead.attempted() == first, "one delivery keeps one key"


async def test_a_slow_peer_delays_only_itself(daemon: Daemon, channel: FakeChannel, clock: FakeClock) -> None:
    channel.failures.append(ChannelUnavailable("ann's phone is off"))
    async with daemon(ScriptedModel("a", "b"), channel):
        await channel.say("x", peer="ann")
        await channel.attempted()
        await channel.say("y", peer="bob")
        assert await channel.heard() == ("bob", "b")


async def test_an_unacknowledged_reply_survives_a_restart(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    channel.failures.append(ChannelUnavailable("no network"))
    async with daemon(ScriptedModel("a"), channel):
        await channel.say("x")
        await channel.attempted()
    assert channel.silent
    clock.advance(seconds=5)
    async with daemon(ScriptedModel(), channel):
        assert await channel.heard() == ("ann", "a")


async def test_replies_to_one_person_stay_in_order_through_an_outage(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    channel.failures += [ChannelUnavailable("no network")] * 3
    async with daemon(ScriptedModel(*"12345"), channel):
        for n in "12345":
            await channel.say(n)
        heard: list[str] = []
        while len(heard) < 5:
            hearing = asyncio.create_task(channel.heard())
            while not hearing.done():
                await asyncio.sleep(0.01)
                clock.advance(seconds=60)
            heard.append((await hearing)[1])
    assert heard == list("12345")


async def test_a_rejected_reply_is_buried_and_reported(daemon: Daemon, channel: FakeChannel) -> None:
    channel.failures.append(DeliveryRejected("blocked"))
    async with daemon(ScriptedModel("a", "b"), channel) as app:
        with app.bus.subscribe(DeliveryFailed) as failures:
            await channel.say("x")
            async with asyncio.timeout(10):
                assert (await anext(failures)).error == "blocked"
        await channel.say("y")
        assert await channel.heard() == ("ann", "b")
        assert (await app.store.ledger.counts()).dead_replies == 1


async def test_a_reply_is_given_up_after_a_day(daemon: Daemon, channel: FakeChannel, clock: FakeClock) -> None:
    channel.failures += [ChannelUnavailable("gone")] * 1000
    async with daemon(ScriptedModel("a"), channel) as app:
        with app.bus.subscribe(DeliveryFailed) as failures:
            await channel.say("x")
            buried = asyncio.ensure_future(anext(failures))
            for _ in range(400):
                await asyncio.wait({buried}, timeout=0.005)
                if buried.done():
                    break
                clock.advance(minutes=11)
            assert (await buried).error == "gone"
    started_again = len(channel.failures)
    assert started_again < 999, "it was tried more than once"


async def test_a_channel_that_crashes_is_tried_again(daemon: Daemon, channel: FakeChannel, clock: FakeClock) -> None:
    channel.failures.append(ZeroDivisionError("a bug in the channel"))
    async with daemon(ScriptedModel("a"), channel):
        await channel.say("x")
        await channel.attempted()
        await clock.asleep()
        clock.advance(seconds=5)
        assert await channel.heard() == ("ann", "a")


async def test_a_slow_observer_slows_nobody(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel(*"abc"), channel) as app:
        with app.bus.subscribe(Event, maxsize=1, overflow=Overflow.DROP_OLDEST) as watching:
            for text in "xyz":
                await channel.say(text)
                await channel.heard()
            assert watching.dropped > 0


async def test_a_channel_that_is_away_at_the_start_is_opened_later(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    channel.outages.append(ChannelUnavailable("no route"))
    async with daemon(ScriptedModel("a"), channel):
        await channel.say("x")
        hearing = asyncio.create_task(channel.heard())
        while not hearing.done():  # others sleep too: that somebody does says nothing of the channel
            await asyncio.sleep(0.01)
            clock.advance(seconds=2)
        assert await hearing == ("ann", "a")


async def test_a_crashing_worker_stops_the_daemon(daemon: Daemon) -> None:
    class BrokenChannel(FakeChannel):
        def connect(self):  # type: ignore[no-untyped-def]
            raise RuntimeError("a bug")

    with pytest.raises(ExceptionGroup) as caught:
        async with daemon(ScriptedModel(), BrokenChannel()):
            await asyncio.sleep(10)
    assert "a bug" in repr(caught.value)


async def test_a_long_reply_arrives_in_parts_in_order_and_a_failure_repeats_only_its_part(
    daemon: Daemon, clock: FakeClock
) -> None:
    channel = FakeChannel(max_length=100)
    paragraphs = [f"{n} " + "word " * 15 for n in range(4)]
    async with daemon(ScriptedModel("\n\n".join(paragraphs)), channel):
        channel.failures.append(ChannelUnavailable("no network"))
        await channel.say("x")
        heard: list[str] = []
        while len(heard) < len(paragraphs):
            hearing = asyncio.create_task(channel.heard())
            while not hearing.done():
                await asyncio.sleep(0.01)
                clock.advance(seconds=5)
            heard.append((await hearing)[1])
        assert [part[0] for part in heard] == ["0", "1", "2", "3"]
        assert channel.silent
    assert len(channel.receipts) == 4
