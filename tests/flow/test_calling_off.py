"""/stop where nothing runs yet: what waits ends, and nothing that came after it."""

from collections.abc import Callable

from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.test_stopping import Held


async def test_stop_calls_off_what_waits_for_a_place(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", max_concurrency=1)
    held = Held("first")
    model = ScriptedModel(held, "last")
    async with daemon(model, channel) as app:
        await channel.say("x", peer="bob")
        await held.asked.wait()
        for words in ("one", "two"):
            await channel.say_and_settle(words)
        await channel.say_and_settle("/stop")
        assert await channel.heard() == ("ann", "Stopping.")
        await channel.say_and_settle("three")
        held.free.set()
        assert [await channel.heard() for _ in range(4)] == [
            ("bob", "first"),
            ("ann", "Stopped."),
            ("ann", "Stopped."),
            ("ann", "last"),
        ]
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done) == (5, 5)
    assert [message.text.rpartition("\n")[2] for message in model.requests[-1].messages][-1] == "three"


async def test_stop_right_behind_an_interruption_means_what_interrupted(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", queue="interrupt")
    held = Held("never")
    async with daemon(ScriptedModel(held), channel) as app:
        await channel.say("one")
        await held.asked.wait()
        await channel.say("two")
        await channel.say("/stop")
        words = set[str]()
        while len(words) < 2 or (await app.store.ledger.counts()).open:  # the first one may be told of, too
            words.add((await channel.heard())[1])
    assert words == {"Stopping.", "Stopped."}


async def test_what_is_said_after_it_joins_nothing_that_was_called_off(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", max_concurrency=1, queue="collect")
    held = Held("first")
    async with daemon(ScriptedModel(held, "last"), channel):
        await channel.say("x", peer="bob")
        await held.asked.wait()
        await channel.say_and_settle("one")
        await channel.say_and_settle("/stop")
        await channel.say_and_settle("three")
        held.free.set()
        said = [await channel.heard() for _ in range(4)]
    assert [words for who, words in said if who == "ann"] == ["Stopping.", "Stopped.", "last"]


async def test_what_was_called_off_is_not_answered_after_a_restart(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", max_concurrency=1)
    held = Held("never")
    async with daemon(ScriptedModel(held), channel, grace=0.01):
        await channel.say("x", peer="bob")
        await held.asked.wait()
        await channel.say_and_settle("one")
        await channel.say_and_settle("/stop")
        assert await channel.heard() == ("ann", "Stopping.")
    async with daemon(ScriptedModel("here after all"), channel) as app:
        assert {await channel.heard() for _ in range(2)} == {("bob", "here after all"), ("ann", "Stopped.")}
        assert (await app.store.ledger.counts()).open == 0


async def test_what_somebody_else_said_meanwhile_is_answered(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", queue="interrupt")
    held = Held("never")
    async with daemon(ScriptedModel(held, "hello Bob"), channel):
        session = (await channel.say_and_settle("one")).session_id
        await held.asked.wait()
        await channel.say_and_settle("hello", peer="bob", session=session)  # it interrupts nobody, and waits
        await channel.say_and_settle("/stop")
        said = [await channel.heard() for _ in range(3)]
    assert sorted(said) == [("ann", "Stopped."), ("ann", "Stopping."), ("bob", "hello Bob")]
