"""`@cookie ...`: one message for one agent, and the conversation stays with whoever has it."""

from collections.abc import Callable

import pytest

from picklebot.testing import FakeChannel
from tests.flow.conftest import Daemon
from tests.flow.players import Players, says


async def test_a_mention_asks_that_agent_and_leaves_the_conversation_where_it_was(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    model = Players(pickle=says("I am pickle"), cookie=says("I am cookie"))
    async with daemon(model, channel):
        for said, answer in (
            ("hello", "I am pickle"),
            ("@cookie what is known of me?", "cookie: I am cookie"),
            ("and you?", "I am pickle"),
            ("@cookie: and else?", "cookie: I am cookie"),
        ):
            await channel.say(said)
            assert await channel.heard() == ("ann", answer)
    assert [len(request.messages) for request in model.requests["pickle"]] == [1, 3]
    assert [len(request.messages) for request in model.requests["cookie"]] == [1, 3], "its session goes on too"
    asked = model.requests["cookie"][0].messages[0].blocks[-1]["text"]
    assert asked == "what is known of me?", "its name was for us, and not for it"


async def test_a_first_message_may_be_a_mention_and_the_next_goes_to_the_default_agent(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    async with daemon(Players(pickle=says("pickle here"), cookie=says("cookie here")), channel):
        await channel.say("@cookie hi there")
        assert (await channel.heard())[1] == "cookie: cookie here"
        await channel.say("hi")
        assert (await channel.heard())[1] == "pickle here"


@pytest.mark.parametrize(
    "said",
    [
        "@nobody hello",
        "@cookie",
        "@cookie  ",
        "mail me@cookie now",
        "hi @cookie there",
        "@cookie's crumbs",
        "@@cookie x",
    ],
)
async def test_everything_else_with_an_at_sign_is_text(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], said: str
) -> None:
    agents(pickle={}, cookie={})
    async with daemon(Players(pickle=says("pickle here"), cookie=says("never")), channel):
        await channel.say(said)
        assert (await channel.heard())[1] == "pickle here"


async def test_only_the_first_of_two_mentions_counts(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    async with daemon(Players(pickle=says("pickle here"), cookie=says("never")), channel):
        await channel.say("@pickle and @cookie: who is there?")
        assert (await channel.heard())[1] == "pickle: pickle here"
    assert channel.silent


async def test_who_is_named_beside_the_message_answers_it(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={})
    async with daemon(Players(pickle=says("pickle here"), cookie=says("never")), channel):
        await channel.say("@cookie hello", agent="pickle")
        assert (await channel.heard())[1] == "pickle here"
