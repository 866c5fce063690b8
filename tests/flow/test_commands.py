"""Slash commands, on any channel."""

import asyncio
from collections.abc import Callable

import pytest

from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.store.base import Arrival
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from picklebot.workers.commands import Commands
from tests.flow.conftest import Daemon, Stored


async def ask(channel: FakeChannel, command: str) -> str:
    await channel.say(command)
    return (await channel.heard())[1]


async def test_a_command_is_answered_without_a_model(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel()
    async with daemon(model, channel):
        answer = await ask(channel, "/help")
    for name in ("/agents", "/new", "/stop", "/usage"):
        assert name in answer
    assert not model.requests


async def test_an_unknown_command_is_answered_with_the_nearest_one(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel(), channel):
        assert await ask(channel, "/agnets") == "There is no command /agnets. Did you mean /agents?"


@pytest.mark.parametrize("text", ["/etc/passwd holds what?", "/ is the root", "1/2 or so", "//help"])
def test_what_only_looks_like_a_command_is_a_message(text: str) -> None:
    assert Commands({}).parse(text) is None


async def test_a_path_goes_to_the_model(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("a list of users"), channel):
        assert await ask(channel, "/etc/passwd holds what?") == "a list of users"


async def test_new_forgets_the_conversation_and_session_goes_back_to_it(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel("one", "two", "three")
    async with daemon(model, channel):
        await ask(channel, "first")
        old = (await ask(channel, "/session")).split()[1]
        assert "fresh session" in await ask(channel, "/new")
        await ask(channel, "second")
        assert len(model.requests[-1].messages) == 1
        assert "Back in session" in await ask(channel, f"/session {old[:20]}")
        await ask(channel, "third")
        assert len(model.requests[-1].messages) == 3


async def test_what_is_said_right_after_new_is_said_in_the_new_session(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel("one", "two")
    async with daemon(model, channel):
        await ask(channel, "first")
        await channel.say("/new")  # both before anybody looks, as a platform brings what has waited
        await channel.say("second")
        assert "fresh session" in (await channel.heard())[1]
        assert await channel.heard() == ("ann", "two")
    assert len(model.requests[-1].messages) == 1


async def test_two_copies_of_new_at_once_start_one_session(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel(), channel) as app:
        first, second = await asyncio.gather(
            channel.say_and_settle("/new", key="n"), channel.say_and_settle("/new", key="n")
        )
        assert "fresh session" in (await channel.heard())[1]
        assert len(await app.store.sessions.recent(source=Source("fake", ("ann",)))) == 1
    assert (first.event_id, first.duplicate, second.duplicate) == (second.event_id, False, True)
    assert len(channel.receipts) == 1


async def test_a_command_that_a_crash_cut_short_is_told_of_and_not_repeated(
    daemon: Daemon, channel: FakeChannel, stored: Stored, clock: FakeClock
) -> None:
    source = Source("fake", ("ann",))
    async with stored() as store:
        arrival = Arrival(source=source, content="/new", key="n", agent_id="pickle", at=clock.now())
        assert await store.claims.claim(arrival)
    async with daemon(ScriptedModel(), channel) as app:
        assert "I did not finish `/new`" in (await channel.heard())[1]
        again = await channel.say_and_settle("/new", key="n")
        assert again.duplicate
        assert len(await app.store.sessions.recent(source=source)) == 1
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.failed, counts.open) == (1, 1, 0)
    async with daemon(ScriptedModel(), channel):
        pass
    assert len(channel.receipts) == 1


async def test_a_command_whose_answer_was_not_written_is_not_run_when_it_is_offered_again(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    source = Source("fake", ("ann",))
    async with daemon(ScriptedModel(), channel) as app:
        await app.store.claims.claim(Arrival(source=source, content="/new", key="n", agent_id="pickle", at=clock.now()))
        await channel.say("/new", key="n")
        assert "whether it took effect is not known" in (await channel.heard())[1]
        assert len(await app.store.sessions.recent(source=source)) == 1


async def test_a_redelivered_new_does_not_forget_again(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel("one", "two")
    async with daemon(model, channel):
        await channel.say("/new", key="n")
        await channel.heard()
        await ask(channel, "first")
        assert (await channel.say_and_settle("/new", key="n")).duplicate
        await ask(channel, "second")
    assert len(model.requests[-1].messages) == 3


async def test_agent_lets_another_one_answer_and_back(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("scout", prompt="You are scout.")
    model = ScriptedModel("a", "b", "c")
    async with daemon(model, channel):
        await ask(channel, "hi")
        assert "**scout** answers from now on" in await ask(channel, "/agent scout")
        await ask(channel, "hi")
        assert model.requests[-1].system.startswith("You are scout.")
        assert "1 turns so far" in await ask(channel, "/agent echo")
        await ask(channel, "hi")
    assert len(model.requests[-1].messages) == 3


async def test_an_unknown_agent_is_answered_with_the_nearest_one(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel(), channel):
        assert "did you mean 'echo'" in await ask(channel, "/agent ecko")


async def test_another_persons_session_cannot_be_entered(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("secret"), channel):
        verdict = await channel.say_and_settle("mine", peer="ann")
        await channel.heard()
        await channel.say(f"/session {verdict.session_id}", peer="bob")
        assert "no session of this place" in (await channel.heard())[1]


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("/agents", "**echo**"),
        ("/skills", "no skills"),
        ("/crons", "no jobs"),
        ("/bindings", "**echo**"),
        ("/sessions", "no sessions here yet"),
        ("/session", "no session here yet"),
        ("/context", "no session here yet"),
        ("/usage", "Today: 0 calls"),
    ],
)
async def test_each_command_has_an_answer_in_an_empty_daemon(
    daemon: Daemon, channel: FakeChannel, command: str, expected: str
) -> None:
    async with daemon(ScriptedModel(), channel):
        assert expected in await ask(channel, command)


async def test_usage_and_context_count_what_was_used(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("one"), channel):
        await ask(channel, "first")
        assert "Today: 1 calls, 10 tokens in (0% from the cache), 5 out" in await ask(channel, "/usage")
        assert "- messages: 2, 2 of them shown" in await ask(channel, "/context")
        assert "1 turns" in await ask(channel, "/sessions")


async def test_a_command_offered_many_times_at_once_is_answered_once(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("after"), channel):
        verdicts = await asyncio.gather(*(channel.say_and_settle("/help", key="h") for _ in range(8)))
        await ask(channel, "then")
        assert channel.silent
    assert len({verdict.event_id for verdict in verdicts}) == 1
    assert sum(not verdict.duplicate for verdict in verdicts) == 1


async def test_a_command_is_about_the_session_that_it_names(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("one", "two"), channel):
        old = await channel.say_and_settle("first")
        await channel.heard()
        await ask(channel, "/new")
        await ask(channel, "second")
        accepted = await channel.say_and_settle("/session", session=old.session_id)
        assert (await channel.heard())[1].startswith(f"Session {old.session_id}")
    assert accepted.session_id == old.session_id


async def test_a_command_that_names_no_session_is_refused_and_forgotten(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel(), channel):
        with pytest.raises(NotFound, match="no session 'nowhere'"):
            await channel.say_and_settle("/new", session="nowhere")
    async with daemon(ScriptedModel(), again := FakeChannel()) as app:
        assert await ask(again, "/session") == "there is no session here yet: say something first"
        assert not await app.store.claims.unanswered()
