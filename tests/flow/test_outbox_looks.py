"""The delivery lane looks into the outbox when there is something new, and misses nothing for it."""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path

from picklebot.core.bus import EventBus
from picklebot.core.source import Source
from picklebot.store.base import Arrival, OutboxRow, Quay
from picklebot.store.database import Database, PlainDatabase, connect
from picklebot.store.departures import Departures
from picklebot.store.inbox import SqliteInbox
from picklebot.store.migrate import migrate
from picklebot.store.outbox import SqliteOutbox
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from picklebot.workers.delivery import IN_FLIGHT, DeliveryWorker, RetryPolicy
from tests.flow.conftest import Daemon, Stored


class Counted(SqliteOutbox):
    """Counts how often it is looked into."""

    looks = 0

    async def claim(self, channel: str, now: datetime, *, limit: int, busy: Sequence[str] = ()) -> list[OutboxRow]:
        self.looks += 1
        return await super().claim(channel, now, limit=limit, busy=busy)

    async def next_due(self, channel: str) -> datetime | None:
        self.looks += 1
        return await super().next_due(channel)


class Gated(SqliteOutbox):
    """Lets a look wait, and shows the place where replies may leave at once."""

    def __init__(self, database: Database) -> None:
        super().__init__(database, Departures())
        self.gate = asyncio.Event()
        self.looked = asyncio.Event()
        self.quays: list[Quay] = []

    def open(self, channel: str, quay: Quay) -> None:
        self.quays.append(quay)

    async def claim(self, channel: str, now: datetime, *, limit: int, busy: Sequence[str] = ()) -> list[OutboxRow]:
        self.looked.set()
        await self.gate.wait()
        return await super().claim(channel, now, limit=limit, busy=busy)


class Held(FakeChannel):
    """A platform that takes nothing until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()
        self.asked = asyncio.Event()

    async def send(self, to: Source, content: str, *, key: str) -> str:
        self.asked.set()
        await self.free.wait()
        return await super().send(to, content, key=key)


def arrival(peer: str, key: str, clock: FakeClock) -> Arrival:
    return Arrival(source=Source("fake", (peer,)), content="/help", key=key, agent_id="pickle", at=clock.now())


async def test_a_reply_is_looked_for_once(tmp_path: Path, channel: FakeChannel, clock: FakeClock) -> None:
    path, bus = tmp_path / "a.db", EventBus()
    with closing(connect(path)) as connection:
        migrate(connection, path)
        database = PlainDatabase(connection)
        inbox, outbox = SqliteInbox(database), Counted(database)
        worker = DeliveryWorker(bus=bus, outbox=outbox, channels={"fake": channel}, clock=clock, policy=RetryPolicy())
        ready = asyncio.Event()
        running = asyncio.create_task(worker.run(ready.set))
        await ready.wait()
        for n in range(10):
            event = await inbox.answer(arrival("ann", f"k{n}", clock), f"reply {n}")
            assert event
            await bus.publish(event)
            assert await channel.heard() == ("ann", f"reply {n}")
        worker.stop()
        await running
    at_the_start, at_the_end = 2, 2
    assert outbox.looks <= 10 + at_the_start + at_the_end


async def test_all_that_waits_at_the_start_leaves_in_order_however_much_it_is(
    daemon: Daemon, channel: FakeChannel, stored: Stored, clock: FakeClock
) -> None:
    peers = [f"p{n}" for n in range(2 * IN_FLIGHT + 5)]
    async with stored() as store:
        for part in range(3):
            for peer in peers:
                await store.inbox.answer(arrival(peer, f"{peer}-{part}", clock), str(part))
    async with daemon(ScriptedModel(), channel):
        heard = [await channel.heard() for _ in range(3 * len(peers))]
    assert {peer: [text for to, text in heard if to == peer] for peer in peers} == {
        peer: ["0", "1", "2"] for peer in peers
    }


async def test_nobody_leaves_at_once_before_those_that_wait(tmp_path: Path, clock: FakeClock) -> None:
    path, bus, channel = tmp_path / "a.db", EventBus(), Held()
    with closing(connect(path)) as connection:
        migrate(connection, path)
        database = PlainDatabase(connection)
        inbox, outbox = SqliteInbox(database), Gated(database)
        for n in range(IN_FLIGHT + 1):
            await inbox.answer(arrival(f"p{n}", f"k{n}", clock), "reply")
        worker = DeliveryWorker(bus=bus, outbox=outbox, channels={"fake": channel}, clock=clock, policy=RetryPolicy())
        running = asyncio.create_task(worker.run(lambda: None))
        outbox.gate.set()
        await channel.asked.wait()
        outbox.gate.clear()
        outbox.looked.clear()
        channel.free.set()
        await outbox.looked.wait()  # there is room again, and the last one is still to be found
        assert not outbox.quays[0].book()
        outbox.gate.set()
        for _ in range(IN_FLIGHT + 1):
            await channel.heard()
        worker.stop()
        await running
    assert outbox.quays[0].book()


async def test_what_comes_behind_a_reply_in_flight_leaves_when_that_has_landed(daemon: Daemon) -> None:
    channel = Held()
    async with daemon(ScriptedModel(), channel):
        await channel.say("/help")
        await channel.asked.wait()
        for name in ("one", "two"):
            await channel.say_and_settle(f"/{name}")
        channel.free.set()
        heard = [(await channel.heard())[1] for _ in range(3)]
    assert ["/one" in heard[1], "/two" in heard[2]] == [True, True]
