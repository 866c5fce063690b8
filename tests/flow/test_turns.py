"""A message in, a reply out, through the front door."""

import asyncio
from collections.abc import Callable

import pytest

from picklebot.agent.prompt import spoken
from picklebot.core.messages import Message
from picklebot.errors import ModelRejected, ModelUnavailable, NotFound, QueueFull
from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon


def heard_by(model: ScriptedModel, request: int = -1) -> list[str]:
    return [spoken(message) for message in model.requests[request].messages]


async def test_a_message_gets_a_reply(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("hello Ann"), channel):
        await channel.say("hi")
        assert await channel.heard() == ("ann", "hello Ann")


async def test_a_session_remembers(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel("one", "two")
    async with daemon(model, channel):
        await channel.say("first")
        await channel.heard()
        await channel.say("second")
        await channel.heard()
    assert heard_by(model) == ["first", "one", "second"]


async def test_a_session_remembers_across_restarts(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("one"), channel):
        await channel.say("first")
        await channel.heard()
    model = ScriptedModel("two")
    async with daemon(model, channel):
        await channel.say("second")
        await channel.heard()
    assert heard_by(model) == ["first", "one", "second"]


async def test_what_was_said_before_is_sent_again_byte_for_byte(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    model = ScriptedModel(*"123")
    async with daemon(model, channel):
        for word in ("a", "b", "c"):
            await channel.say(word)
            await channel.heard()
            clock.advance(hours=30)
    first, second, third = model.requests
    assert first.system == second.system == third.system
    assert list(third.messages[: len(second.messages)]) == list(second.messages)
    assert list(second.messages[: len(first.messages)]) == list(first.messages)


async def test_two_people_have_two_sessions(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel("for ann", "for bob")
    async with daemon(model, channel):
        await channel.say("hi", peer="ann")
        await channel.heard()
        await channel.say("hi", peer="bob")
        assert await channel.heard() == ("bob", "for bob")
    assert heard_by(model) == ["hi"]


async def test_one_session_takes_its_turns_in_order(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel(*"12345")
    async with daemon(model, channel):
        for n in "12345":
            await channel.say(n)
        assert [(await channel.heard())[1] for _ in "12345"] == list("12345")
    assert heard_by(model) == list("112233445")[0:9]


@pytest.mark.parametrize(("limit", "expected"), [(1, 1), (2, 2), (9, 4)])
async def test_an_agent_takes_at_most_its_limit_of_turns(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None], limit: int, expected: int
) -> None:
    agent("echo", max_concurrency=limit)
    running = peak = 0
    full = asyncio.Event()

    async def count(request: ModelRequest) -> str:
        nonlocal running, peak
        running += 1
        peak = max(peak, running)
        if running == expected:
            full.set()
        await full.wait()
        await asyncio.sleep(0.02)  # for one too many to come in
        running -= 1
        return "done"

    async with daemon(ScriptedModel(*[count] * 4), channel):
        for peer in "abcd":
            await channel.say("x", peer=peer)
        for _ in "abcd":
            await channel.heard()
    assert peak == expected


async def test_a_failed_turn_says_why_and_the_next_one_works(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel(ModelRejected("the key was refused"), "fine now")
    async with daemon(model, channel) as app:
        await channel.say("hi")
        assert await channel.heard() == ("ann", "I could not finish: the key was refused.")
        await channel.say("hi again")
        assert await channel.heard() == ("ann", "fine now")
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done, counts.failed, counts.open) == (2, 1, 1, 0)
    roles = [message.role for message in model.requests[-1].messages]
    assert roles == ["user", "assistant", "user"], "the conversation goes on alternating"


async def test_a_limited_model_parks_the_turn_tells_the_user_once_and_answers_later(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    limited = ModelUnavailable("rate limited", retry_after=300.0)
    async with daemon(ScriptedModel(limited, limited, "here at last"), channel):
        await channel.say("hi")
        assert "I have to wait" in (await channel.heard())[1]
        hearing = asyncio.create_task(channel.heard())
        while not hearing.done():
            await asyncio.sleep(0.01)
            clock.advance(seconds=60)
        assert await hearing == ("ann", "here at last")
        assert channel.silent


async def test_a_bug_in_a_turn_is_told_and_the_daemon_goes_on(daemon: Daemon, channel: FakeChannel) -> None:
    def broken(request: ModelRequest) -> str:
        raise ZeroDivisionError

    async with daemon(ScriptedModel(broken, "fine"), channel):
        await channel.say("hi")
        assert "ZeroDivisionError" in (await channel.heard())[1]
        await channel.say("again")
        assert await channel.heard() == ("ann", "fine")


async def test_a_message_sent_twice_gets_one_turn(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel("once"), channel):
        first = await channel.say_and_settle("hi", key="k")
        again = await asyncio.gather(*(channel.say_and_settle("hi", key="k") for _ in range(10)))
        assert await channel.heard() == ("ann", "once")
        assert all(verdict.duplicate and verdict.event_id == first.event_id for verdict in again)


async def test_a_full_session_refuses_and_says_so(daemon: Daemon, channel: FakeChannel) -> None:
    held = asyncio.Event()

    async def hold(request: ModelRequest) -> str:
        await held.wait()
        return "done"

    async with daemon(ScriptedModel(hold, *["done"] * 19), channel):
        for _ in range(20):
            await channel.say_and_settle("x")
        with pytest.raises(QueueFull, match="20 messages"):
            await channel.say_and_settle("one too many")
        held.set()
        for _ in range(20):
            await channel.heard()


async def test_an_agent_that_does_not_exist_is_refused_with_the_nearest_name(
    daemon: Daemon, channel: FakeChannel
) -> None:
    async with daemon(ScriptedModel(), channel):
        with pytest.raises(NotFound, match="echo"):
            await channel.say_and_settle("hi", agent="ecko")


async def test_an_agent_whose_file_is_gone_is_told_to_the_user(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("scout")
    async with daemon(ScriptedModel("here"), channel):
        await channel.say("hi", agent="scout")
        assert await channel.heard() == ("ann", "here")


async def test_thinking_is_kept_as_it_came(daemon: Daemon, channel: FakeChannel) -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig=="}
    answer = Message("assistant", (thought, {"type": "text", "text": "done", "citations": None}))
    model = ScriptedModel(answer, "again")
    async with daemon(model, channel):
        await channel.say("hi")
        await channel.heard()
    async with daemon(model, channel):
        await channel.say("more")
        await channel.heard()
    assert model.requests[-1].messages[1] == answer


async def test_silence_is_nudged_and_then_told(daemon: Daemon, channel: FakeChannel) -> None:
    empty = Message("assistant", ())
    async with daemon(ScriptedModel(empty, empty), channel):
        await channel.say("hi")
        assert "no answer" in (await channel.heard())[1]
