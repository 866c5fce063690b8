"""Telegram, from the platform's side: what a person writes, what they see, and what Telegram may do to it."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from picklebot.channels.telegram import create
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, ConfigError, DeliveryRejected
from picklebot.testing import FakeClock, ScriptedModel
from picklebot.testing.clock import PATIENCE
from picklebot.testing.telegram_api import TOKEN, TelegramApi, Trouble
from tests.channels.conftest import as_time_passes
from tests.cli.inside import Done, command
from tests.flow.conftest import Daemon

Settings = Callable[..., None]
ANN = Source("telegram", ("42", "42"))


async def test_a_conversation_both_ways(daemon: Daemon, settings: Settings, telegram: TelegramApi) -> None:
    settings(allow=[42])
    model = ScriptedModel("hello Ann", "**bold** and `code`")
    async with daemon(model):
        telegram.say("hi")
        await telegram.until(lambda: telegram.texts(42) == ["hello Ann"])
        telegram.say("again")
        await telegram.until(lambda: telegram.texts(42)[1:] == ["bold and code"])
        await telegram.until(lambda: telegram.confirmed == 2)
    assert [*telegram.shown.values()][-1].formatted == "<b>bold</b> and <code>code</code>"
    assert len(model.requests[-1].messages) == 3


async def test_what_telegram_cannot_format_is_sent_as_it_stands(
    daemon: Daemon, settings: Settings, telegram: TelegramApi
) -> None:
    settings(allow=[42])
    telegram.trouble("sendMessage", Trouble(code=400, description="Bad Request: can't parse entities: whatever"))
    async with daemon(ScriptedModel("a *b* c")):
        telegram.say("hi")
        await telegram.until(lambda: telegram.texts(42) == ["a *b* c"])


async def test_a_topic_is_a_place_of_its_own(daemon: Daemon, settings: Settings, telegram: TelegramApi) -> None:
    settings(allow=[42])
    model = ScriptedModel("in seven", "in eight", "without a topic", "nor in a closed one")
    topic = {"is_topic_message": True, "message_thread_id": 7}
    bot = {"reply_to_message": {"from": {"id": 4242, "is_bot": True}}}
    async with daemon(model):
        telegram.say("hi", chat=-100, also={**topic, **bot})
        await telegram.until(lambda: telegram.texts(-100) == ["in seven"])
        telegram.say("hi", chat=-100, also={**topic, **bot, "message_thread_id": 8})
        await telegram.until(lambda: telegram.texts(-100)[1:] == ["in eight"])
        telegram.trouble("sendMessage", Trouble(code=400, description="Bad Request: message thread not found"))
        telegram.say("hi", chat=-100, also={**topic, **bot, "message_thread_id": 8})
        await telegram.until(lambda: telegram.texts(-100)[2:] == ["without a topic"])
        telegram.trouble("sendMessage", Trouble(code=400, description="Bad Request: TOPIC_CLOSED"))
        telegram.say("hi", chat=-100, also={**topic, **bot, "message_thread_id": 8})
        await telegram.until(lambda: telegram.texts(-100)[3:] == ["nor in a closed one"])
    assert [shown.thread for shown in telegram.shown.values()] == [7, 8, None, None]
    assert [len(request.messages) for request in model.requests] == [1, 1, 3, 5]


async def test_a_group_that_moved_is_found_again(daemon: Daemon, settings: Settings, telegram: TelegramApi) -> None:
    settings(allow=[42])
    bot = {"reply_to_message": {"from": {"id": 4242, "is_bot": True}}}
    telegram.moved["-100"] = "-1009"
    async with daemon(ScriptedModel("here now")):
        telegram.say("hi", chat=-100, also=bot)
        await telegram.until(lambda: telegram.texts(-1009) == ["here now"])


async def test_an_edit_is_told_as_one_and_is_no_command(
    daemon: Daemon, settings: Settings, telegram: TelegramApi
) -> None:
    settings(allow=[42])
    model = ScriptedModel("I see")
    message = {"message_id": 5, "date": 1, "chat": {"id": 42, "type": "private"}}
    sender = {"id": 42, "is_bot": False, "first_name": "Ann"}
    async with daemon(model):
        telegram.add({"edited_message": {**message, "from": sender, "text": "/new"}})
        await telegram.until(lambda: telegram.texts(42) == ["I see"])
    assert "changed an earlier message. It reads now:]\n/new" in model.requests[0].messages[-1].text


async def test_a_press_of_a_button_says_what_is_behind_it_as_whoever_pressed(
    daemon: Daemon, settings: Settings, telegram: TelegramApi
) -> None:
    settings(allow=[42])
    message = {"message_id": 5, "date": 1, "chat": {"id": 42, "type": "private"}}
    async with daemon(model := ScriptedModel()):
        for person in (666, 42):
            sender = {"id": person, "is_bot": False, "first_name": "X"}
            query = {"id": f"q{person}", "from": sender, "message": message, "data": "/approve"}
            telegram.add({"callback_query": query})
        await telegram.until(lambda: telegram.texts(42) == ["Nothing waits for an answer."])
        await telegram.until(lambda: telegram.confirmed == 2)
    assert not model.requests
    assert {fields["callback_query_id"] for fields in telegram.called("answerCallbackQuery")} == {"q666", "q42"}


@pytest.mark.parametrize(
    "update",
    [
        {"message": {}},
        {"message": {"from": {"id": "x"}, "chat": {"id": 42, "type": "private"}, "text": "hi", "message_id": 1}},
        {"message": {"from": {"id": 42}, "chat": {"id": 42, "type": "channel"}, "text": "hi", "message_id": 1}},
        {"message": None},
        {"callback_query": {"id": "1", "from": {"id": 42}, "data": "/help"}},
        {"callback_query": {"id": "1", "from": {"id": 42}, "data": "hello", "message": {"chat": {"id": 42}}}},
        {"poll_answer": {}},
    ],
)
async def test_an_update_of_an_unknown_shape_is_left_out(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, update: dict[str, Any]
) -> None:
    settings(allow=[42])
    async with daemon(ScriptedModel("still here")):
        telegram.add(update)
        telegram.say("hi")
        await telegram.until(lambda: telegram.texts(42) == ["still here"])


async def until_said(workspace: Path, words: str) -> Done:
    """Ask the doctor until it says something."""
    async with asyncio.timeout(PATIENCE):
        while words not in (found := await command(workspace, "doctor")).stdout:
            pass
    return found


async def test_two_pollers_and_a_bad_token_are_said_in_words(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path, clock: FakeClock
) -> None:
    settings(allow=[42])
    telegram.trouble("getMe", Trouble(code=401, description="Unauthorized"))
    telegram.trouble("getUpdates", Trouble(code=409, description="Conflict: terminated by other getUpdates request"))
    async with daemon(ScriptedModel("back")):
        await until_said(workspace, "telegram is away: Telegram does not know this bot's token (Unauthorized)")
        await as_time_passes(clock, telegram, lambda: telegram.called("getUpdates"))
        found = await until_said(workspace, "another program fetches this bot's messages")
        assert found.returncode == 1
        telegram.say("hi")
        await as_time_passes(clock, telegram, lambda: telegram.texts(42) == ["back"])
        assert "away" not in (await command(workspace, "status")).stdout


async def test_no_error_shows_the_token() -> None:
    channel = create(name="telegram", token=TOKEN, base_url="http://127.0.0.1:9")
    with pytest.raises(ChannelUnavailable) as caught:
        await channel.send(ANN, "hi", key="1")
    await channel.aclose()
    assert "loopback-token" not in f"{caught.value!r} {caught.value.__cause__!r}"


def test_a_token_is_not_sent_in_the_clear() -> None:
    with pytest.raises(ConfigError, match="unencrypted"):
        create(name="telegram", token=TOKEN, base_url="http://api.example.org")


async def test_a_cut_connection_in_the_middle_of_pieces_does_not_repeat_the_first(telegram: TelegramApi) -> None:
    channel = create(name="telegram", token=TOKEN, base_url=telegram.url)
    text = "one " * 1500
    telegram.trouble("sendMessage", Trouble(code=500, after=True), Trouble(cut=True))
    telegram.shown.clear()
    with pytest.raises(ChannelUnavailable):
        await channel.send(ANN, text, key="k")
    for _ in range(2):
        try:
            await channel.send(ANN, text, key="k")
        except ChannelUnavailable:
            continue
    await channel.aclose()
    assert len({*telegram.texts(42)}) == 2


async def test_an_empty_message_is_refused_by_nobody_and_a_refusal_is_final(telegram: TelegramApi) -> None:
    channel = create(name="telegram", token=TOKEN, base_url=telegram.url)
    assert await channel.send(ANN, "  ", key="1") == ""
    telegram.trouble("sendMessage", Trouble(code=400, description="Bad Request: chat not found"))
    with pytest.raises(DeliveryRejected, match="chat not found"):
        await channel.send(ANN, "hi", key="2")
    await channel.aclose()
