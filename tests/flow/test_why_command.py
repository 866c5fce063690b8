"""/why on a channel, and what is retried by hand goes out when the daemon runs again."""

import sqlite3
from contextlib import closing
from pathlib import Path

from picklebot.core.bus import EventBus
from picklebot.core.events import DeliveryFailed
from picklebot.errors import ChannelUnavailable, DeliveryRejected
from picklebot.store.sqlite import SqliteStore
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.cli.inside import command
from tests.cli.running import database, fill
from tests.flow.conftest import Daemon
from tests.store.conftest import arrival


async def ask(channel: FakeChannel, words: str, *, peer: str = "ann") -> str:
    await channel.say(words, peer=peer)
    return (await channel.heard())[1]


async def test_why_explains_the_last_message_of_this_place(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("one", "two", "for bob"), channel):
        assert "no message here yet" in await ask(channel, "/why")
        await ask(channel, "first")
        await ask(channel, "second")
        await ask(channel, "mine", peer="bob")
        told = await ask(channel, "/why")
    assert told.startswith("```\nmessage ")
    assert '"second"  <- asked about' in told
    assert "message 3 of it" in told, "a command is a message too"
    assert "step 1: scripted, 10 tokens in, 5 out" in told
    assert '"two"' in told
    assert "bob" not in told


async def test_why_explains_a_command_by_its_id(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("one"), channel):
        asked = await channel.say_and_settle("/help")
        await channel.heard()
        told = await ask(channel, f"/why {asked.event_id}")
    assert "a command: answered at once, without a turn" in told


async def test_an_id_of_another_place_is_as_good_as_none(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("for ann", "for bob"), channel):
        secret = await channel.say_and_settle("secret", peer="ann")
        await channel.heard()
        await ask(channel, "mine", peer="bob")
        for words in (f"/why {secret.event_id}", f"/why {secret.event_id[:3]}"):
            assert "secret" not in await ask(channel, words, peer="bob")


async def test_a_cause_in_another_place_is_not_told(daemon: Daemon, channel: FakeChannel, workspace: Path) -> None:
    async with daemon(ScriptedModel("for ann", "for bob"), channel):
        secret = await channel.say_and_settle("secret", peer="ann")
        await channel.heard()
        mine = await channel.say_and_settle("mine", peer="bob")
        await channel.heard()
    relate(workspace, mine.event_id, secret.event_id)
    async with daemon(ScriptedModel(), channel):
        told = await ask(channel, "/why", peer="bob")
    assert '"mine"' in told
    assert "secret" not in told


def relate(workspace: Path, effect: str, cause: str) -> None:
    with closing(sqlite3.connect(database(workspace))) as connection, connection:
        connection.execute("UPDATE events SET cause_id = ? WHERE id = ?", (cause, effect))


async def test_a_fence_in_a_message_does_not_end_the_fence_of_the_answer(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("fine"), channel):
        await ask(channel, "see ``` here")
        assert (await ask(channel, "/why")).count("```") == 2


async def test_a_message_that_is_retried_is_answered_after_the_next_start(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    async def poison(store: SqliteStore) -> str:
        accepted = await store.inbox.accept(arrival("poison"), limit=9)
        for _ in range(3):  # three attempts that a crash cut short
            await store.inbox.begin(accepted.event.session_id, accepted.event.created_at, alone=True)
        return accepted.event.id

    event_id = await fill(workspace, poison)
    async with daemon(ScriptedModel(), channel):
        assert "set this message aside" in (await channel.heard())[1]
    assert (await command(workspace, "events", "retry", event_id)).returncode == 0
    async with daemon(ScriptedModel("no poison after all"), channel) as app:
        assert await channel.heard() == ("ann", "no poison after all")
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done, counts.dead) == (1, 1, 0)


async def test_a_reply_that_is_retried_is_delivered_after_the_next_start(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    channel.failures.append(DeliveryRejected("blocked"))
    async with daemon(ScriptedModel("hello"), channel) as app:
        await refused(app.bus, channel)
    assert (await command(workspace, "events", "retry", "--all")).returncode == 0
    async with daemon(ScriptedModel(), channel):
        assert await channel.heard() == ("ann", "hello")


async def refused(bus: EventBus, channel: FakeChannel) -> None:
    with bus.subscribe(DeliveryFailed) as failures:
        await channel.say("hi")
        await anext(failures)


async def test_a_reply_that_is_retried_after_days_has_its_whole_time_again(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path
) -> None:
    channel.failures.append(DeliveryRejected("blocked"))
    async with daemon(ScriptedModel("hello"), channel) as app:
        await refused(app.bus, channel)
    clock.advance(days=3)
    async with daemon(ScriptedModel(), channel) as app:
        channel.failures.append(ChannelUnavailable("no network"))
        await app.store.letters.retry_all(at=clock.now())
        await app.bus.publish((await app.store.reports.newest(1))[0][1])
        await channel.attempted()
        await channel.attempted()
        await clock.asleep()
        clock.advance(seconds=5)
        assert await channel.heard() == ("ann", "hello")
