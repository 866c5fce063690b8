"""Telegram at its worst: answers that are none, connections that break, numbers out of order, files it does not take."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest

from picklebot.channels.base import Accepted
from picklebot.channels.split import pieces, units
from picklebot.channels.telegram import create
from picklebot.channels.telegram.wording import LIMIT
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable
from picklebot.testing import ScriptedModel
from picklebot.testing.telegram_api import TOKEN, TelegramApi, Trouble
from tests.channels.test_telegram_live import send
from tests.flow.conftest import Daemon

Settings = Callable[..., None]
ANN = Source("telegram", ("42", "42"))
RESULTS: list[Any] = [None, {}, "x", [1, None], [{"message": {}}], [{"update_id": "7"}]]
GARBAGE = [
    Trouble(code=502, raw=b"<html><h1>502 Bad Gateway</h1></html>"),
    Trouble(code=200, raw=b""),
    Trouble(code=200, raw=b"[" * 100_000),
    Trouble(code=200, raw=b'{"ok": true, "result": \xff}'),
    *(Trouble(code=200, raw=json.dumps({"ok": True, "result": result}).encode()) for result in RESULTS),
]


async def test_answers_that_are_none_are_an_absence_and_nothing_is_lost_by_them(telegram: TelegramApi) -> None:
    telegram.say("hi")
    telegram.trouble("getUpdates", *GARBAGE)
    telegram.trouble("getMe", Trouble(code=200, raw=b'{"ok": true, "result": [1]}'))
    async with aclosing(create(name="telegram", token=TOKEN, base_url=telegram.url)) as channel:
        for _ in range(len(GARBAGE) + 1):
            with pytest.raises(ChannelUnavailable):
                async with channel.connect() as messages:
                    await anext(messages)
        async with channel.connect() as messages:
            assert (await anext(messages)).content == "hi"


async def test_updates_twice_or_out_of_order_are_heard_once_in_theirs_and_numbers_may_begin_anew(
    telegram: TelegramApi,
) -> None:
    late, early = ({"chat": {"id": 42, "type": "private"}, "from": {"id": 42}, "text": text} for text in ("b", "a"))
    telegram.add({"update_id": 2005, "message": {"message_id": 2, **late}})
    telegram.repeat(2005)
    telegram.add({"update_id": 2001, "message": {"message_id": 1, **early}})
    channel = create(name="telegram", token=TOKEN, base_url=telegram.url, poll_seconds=0)
    async with aclosing(channel), channel.connect() as messages:
        heard = [await anext(messages), await anext(messages)]
        for incoming in heard:
            incoming.settle(Accepted(event_id="e", session_id="s"))
        coming = asyncio.ensure_future(anext(messages))
        await telegram.until(lambda: telegram.confirmed == 3 and "offset" not in telegram.called("getUpdates")[-1])
        telegram.add({"update_id": 7, "message": {"message_id": 3, **early}})
        heard.append(await coming)
    assert [(each.key, each.content) for each in heard] == [("4242:2001", "a"), ("4242:2005", "b"), ("4242:7", "a")]


async def test_a_file_whose_connection_breaks_is_fetched_again_and_an_empty_one_is_a_file(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    telegram.files |= {"long": b"x" * 1_000_000, "none": b""}
    telegram.trouble("file", Trouble(cut=True), Trouble(code=502, raw=b"<html>"))
    model = ScriptedModel("long", "none")
    async with daemon(model):
        telegram.say(also={"document": {"file_id": "long", "file_name": "long.txt"}})
        await telegram.until(lambda: telegram.texts(42) == ["long"])
        telegram.say(also={"document": {"file_id": "none", "file_name": "none.txt"}})
        await telegram.until(lambda: telegram.texts(42)[1:] == ["none"])
    assert "1,000,000 bytes)" in model.requests[0].messages[-1].text
    assert ", 0 bytes)" in model.requests[1].messages[-1].text
    assert sorted(path.stat().st_size for path in (workspace / "attachments").rglob("*.txt")) == [0, 1_000_000]


async def test_a_file_that_telegram_does_not_take_is_said_and_a_picture_that_is_none_goes_as_a_file(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    (workspace / "empty.txt").touch()
    (workspace / "graph.png").write_bytes(b"<svg>")
    async with daemon(ScriptedModel(send("empty.txt"), "one", send("graph.png"), "two")):
        telegram.say("send it")
        await telegram.until(lambda: telegram.texts(42)[-1:] == ["one"])
        telegram.say("and that")
        await telegram.until(lambda: telegram.texts(42)[-1:] == ["two"])
    assert "empty.txt could not be sent: Telegram refuses it: Bad Request: file must be non-empty." in telegram.texts(
        42
    )
    assert [shown.file for shown in telegram.shown.values() if shown.file] == [("graph.png", b"<svg>")]


WRITTEN = [
    "😀" * 5_000,
    "👨‍👩‍👧‍👦" * 700,
    "\u200f\u05e9\u05dc\u05d5\u05dd " * 2_000,
    "**a *b** c* `d **e` f** <b>&lt;&amp;" * 300,
    "<script>alert('x')</script>" * 200,
    "```\n" + "&<>" * 3_000,
    "e\u0301" * 5_000,
    "_" * 9_000,
    '[a](https://x.y/?q=<">) ' * 400,
]


@pytest.mark.parametrize("text", WRITTEN, ids=range(len(WRITTEN)))
async def test_whatever_a_model_writes_arrives_whole_in_messages_that_telegram_takes(
    telegram: TelegramApi, text: str
) -> None:
    async with aclosing(create(name="telegram", token=TOKEN, base_url=telegram.url)) as channel:
        await channel.send(ANN, text, key="k")
    assert not [fields for fields in telegram.called("sendMessage") if "parse_mode" not in fields], "formatted at once"
    assert len(telegram.texts(42)) == len(pieces(text, LIMIT))
    assert all(units(shown) <= LIMIT for shown in telegram.texts(42))
