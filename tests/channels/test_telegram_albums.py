"""Albums and long texts on Telegram: several messages to it, one to the agent."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

from picklebot.channels.base import Accepted, Incoming
from picklebot.channels.reading import Nowhere
from picklebot.channels.telegram.api import BotApi
from picklebot.channels.telegram.channel import TelegramChannel
from picklebot.channels.telegram.contents import Fields
from picklebot.testing import FakeClock, ScriptedModel
from picklebot.testing.telegram_api import TOKEN, TelegramApi
from tests.flow.conftest import Daemon

Settings = Callable[..., None]
GROUP = -100


def part(number: int, **also: Any) -> dict[str, Any]:
    return {"media_group_id": "m", "photo": [{"file_id": f"p{number}", "width": 9, "height": 9}], **also}


def named(caption: str) -> Fields:
    return {"caption": caption, "caption_entities": [{"type": "mention", "offset": 0, "length": 11}]}


async def test_an_album_is_one_message_with_all_its_captions_and_files_and_has_one_reply(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    for number in range(3):
        telegram.files[f"p{number}"] = b"\xff\xd8 %d" % number
    async with daemon(model := ScriptedModel("three of them", "hello")):
        telegram.say(chat=GROUP, also=part(0))
        telegram.say(chat=GROUP, also=part(1, **named("@pickle_bot which is best?")))
        telegram.say(chat=GROUP, also=part(2, caption="this one?"))
        telegram.say("not for the bot", chat=GROUP, user=43)
        await telegram.until(lambda: telegram.texts(GROUP) == ["three of them"])
        telegram.say("hi")
        await telegram.until(lambda: telegram.texts(42) == ["hello"] and telegram.confirmed == 5)
    words = model.requests[0].messages[-1].text
    assert "which is best?\nthis one?\n[File: " in words
    assert words.count("[File: ") == 3
    kept = sorted(path.read_bytes() for path in (workspace / "attachments").rglob("*.jpg"))
    assert kept == [b"\xff\xd8 0", b"\xff\xd8 1", b"\xff\xd8 2"]
    assert telegram.texts(GROUP) == ["three of them"]


class Lives:
    """A channel that is killed and begun anew: what is on disk stays, and so does the clock."""

    def __init__(self, telegram: TelegramApi) -> None:
        self.telegram, self.clock, self.disk = telegram, FakeClock(), Nowhere()

    @asynccontextmanager
    async def life(self) -> AsyncIterator[AsyncIterator[Incoming]]:
        api = BotApi(TOKEN, self.telegram.url)
        channel = TelegramChannel("telegram", api, poll_seconds=5, clock=self.clock)
        channel.remember_in(self.disk)
        async with aclosing(channel), channel.connect() as messages:
            yield messages


async def test_a_kill_between_the_parts_of_an_album_loses_and_doubles_none_of_them(telegram: TelegramApi) -> None:
    lives = Lives(telegram)
    first = telegram.say(also=part(0))
    telegram.say("hi", user=43)
    async with lives.life() as messages:
        other = await anext(messages)
        assert other.content == "hi", "others do not wait for it"
        other.settle(Accepted(event_id="e", session_id="s"))
    telegram.say(also=part(1))
    telegram.say(also=part(2))
    async with lives.life() as messages:
        again = await anext(messages)
        again.settle(Accepted(event_id="e", session_id="s", duplicate=True))
        coming = asyncio.ensure_future(anext(messages))
        await lives.clock.asleep()
        lives.clock.advance(seconds=1)
        album = await coming  # and it is killed after its commit
    late = telegram.say(also=part(3))
    async with lives.life() as messages:
        found = [await anext(messages) for _ in range(3)]
        for incoming in found:
            incoming.settle(Accepted(event_id="e", session_id="s"))
        telegram.say("bye")
        await anext(messages)
        assert telegram.confirmed == 5
    assert again.key == other.key
    assert [(each.key, len(each.files)) for each in (album, *found)] == [
        (f"4242:{first}", 3),
        (f"4242:{first}", 3),
        (other.key, 0),
        (f"4242:{late}", 1),
    ]


async def test_a_text_that_telegram_cut_is_one_message_and_what_comes_later_is_not(telegram: TelegramApi) -> None:
    lives = Lives(telegram)
    long, middle = "@pickle_bot " + "a" * 4_084, "b" * 4_000
    entities = [{"type": "mention", "offset": 0, "length": 11}]
    for text, also in ((long, {"entities": entities}), ("a end", {}), (middle, {})):
        telegram.say(text, chat=GROUP, also=also)
    telegram.say(middle)
    async with lives.life() as messages:
        heard = [await anext(messages)]
        heard[0].settle(Accepted(event_id="e", session_id="s"))
        coming = asyncio.ensure_future(anext(messages))
        await lives.clock.asleep()
        telegram.say("the rest")
        lives.clock.advance(seconds=1)
        heard.append(await coming)
    assert [each.content for each in heard] == ["a" * 4_085 + " end", f"{middle}\nthe rest"]


async def test_what_is_forwarded_after_a_long_text_is_no_part_of_it(telegram: TelegramApi) -> None:
    theirs = {"type": "hidden_user", "sender_user_name": "Carol"}
    telegram.say("a" * 4_096)
    telegram.say("b" * 4_096, also={"forward_origin": theirs})
    telegram.say("the end")
    async with Lives(telegram).life() as messages:
        found = []
        for _ in range(3):
            found.append(await anext(messages))
            found[-1].settle(Accepted(event_id="e", session_id="s"))
    assert [(each.content[-3:], each.outside) for each in found] == [("aaa", False), ("bbb", True), ("end", False)]


async def test_a_message_whose_files_are_long_on_their_way_holds_up_nobody_and_is_not_forgotten(
    telegram: TelegramApi,
) -> None:
    lives, done = Lives(telegram), Accepted(event_id="e", session_id="s")
    telegram.say("look", also={"document": {"file_id": "large"}})
    async with lives.life() as messages:
        slow = await anext(messages)
        quick: list[Incoming] = []
        for number in range(3):
            telegram.say(f"m{number}", user=43)
            coming = asyncio.ensure_future(anext(messages))
            await lives.clock.asleep()
            lives.clock.advance(seconds=1)
            quick.append(await coming)
            quick[-1].settle(done)
    assert (telegram.confirmed, telegram.waiting) == (0, 4), "a kill would lose nothing"
    async with lives.life() as messages:
        again = [await anext(messages) for _ in range(4)]
        assert [each.key for each in again] == [slow.key, *(each.key for each in quick)]
        for each in again:
            each.settle(done)
        telegram.say("bye")
        await anext(messages)
    assert telegram.confirmed == 4
