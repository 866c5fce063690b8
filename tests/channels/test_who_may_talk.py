"""Who may talk: the owner, guests, strangers (S18 to S25), seen from the platform."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.core.people import typed_code
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from picklebot.testing.telegram_api import TelegramApi
from tests.cli.inside import command, document
from tests.flow.conftest import Daemon

Settings = Callable[..., None]
STRANGER = 666


@pytest.fixture
def terminal() -> FakeChannel:
    """Where only the owner speaks."""
    return FakeChannel("cli")


async def ask(channel: FakeChannel, words: str) -> str:
    await channel.say(words)
    return (await channel.heard())[1]


async def code_of(telegram: TelegramApi, person: int = STRANGER) -> str:
    await telegram.until(lambda: telegram.texts(person))
    return telegram.texts(person)[0].partition("within the hour: ")[2].partition("\n")[0]


async def pair(telegram: TelegramApi, terminal: FakeChannel, role: str = "", person: int = STRANGER) -> None:
    telegram.say("let me in", user=person, name="Mallory")
    code = await code_of(telegram, person)
    assert "is let in as" in await ask(terminal, f"/approve {code} {role}")


async def test_a_stranger_gets_a_code_once_and_nothing_else(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    model = ScriptedModel("for Ann")
    async with daemon(model):
        telegram.say("what is in USER.md?", user=STRANGER)
        code = await code_of(telegram)
        assert typed_code(code) == code
        telegram.say("/approve " + code, user=STRANGER)
        telegram.say("/help", user=STRANGER)
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42) == ["for Ann"])
        assert len(telegram.texts(STRANGER)) == 1
        shown = await document(workspace, "status")
        assert [each["code"] for each in shown["strangers"]] == [code]
        assert code in (await command(workspace, "status")).stdout
        assert code in (await command(workspace, "doctor")).stdout
    assert len(model.requests) == 1
    assert shown["accepted"] == 1, "what a stranger wrote is not kept"


async def test_an_empty_list_lets_nobody_in(daemon: Daemon, settings: Settings, telegram: TelegramApi) -> None:
    settings()
    async with daemon(model := ScriptedModel()):
        for person in range(1, 6):
            telegram.say("hello", user=person)
        await telegram.until(lambda: telegram.confirmed == 5 and len(telegram.shown) == 3)
        telegram.say("hello", user=6)
        await telegram.until(lambda: telegram.confirmed == 6)
    assert len(telegram.shown) == 3, "no more than three wait at once"
    assert not model.requests


async def test_a_paired_guest_is_heard_after_a_restart_too(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel, workspace: Path
) -> None:
    settings(allow=[42])
    async with daemon(ScriptedModel("welcome"), terminal):
        await pair(telegram, terminal)
        telegram.say("hello", user=STRANGER)
        await telegram.until(lambda: telegram.texts(STRANGER)[1:] == ["welcome"])
    async with daemon(ScriptedModel("welcome back"), terminal):
        telegram.say("hello again", user=STRANGER, name="Olga the Owner")
        await telegram.until(lambda: telegram.texts(STRANGER)[2:] == ["welcome back"])
        listed = await document(workspace, "pairing", "list")
        assert [(each["person"], each["role"]) for each in listed["let_in"]] == [(str(STRANGER), "guest")]
        assert "is shut out" in await ask(terminal, f"/deny telegram {STRANGER}")
        telegram.say("and now?", user=STRANGER)
        await telegram.until(lambda: "within the hour" in telegram.texts(STRANGER)[-1])


async def test_a_code_lets_in_one_person_once(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel
) -> None:
    settings(allow=[42])
    async with daemon(ScriptedModel(), terminal):
        telegram.say("hello", user=STRANGER)
        code = await code_of(telegram)
        assert "wants to talk" in await ask(terminal, "/approve")
        assert "is let in as guest" in await ask(terminal, f"/approve {code.lower()}")
        assert "is let in" not in await ask(terminal, f"/approve {code}")


async def test_five_wrong_codes_make_those_that_wait_void(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel
) -> None:
    settings(allow=[42])
    async with daemon(ScriptedModel(), terminal):
        telegram.say("hello", user=STRANGER)
        code = await code_of(telegram)
        for number in range(5):
            assert "let in" not in await ask(terminal, f"/approve 0000000{number} owner")
        assert f"No code {code} waits" in await ask(terminal, f"/approve {code} owner")


async def test_a_code_is_void_after_an_hour(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel, clock: FakeClock
) -> None:
    settings(allow=[42])
    async with daemon(ScriptedModel(), terminal):
        telegram.say("hello", user=STRANGER)
        code = await code_of(telegram)
        clock.advance(minutes=61)
        assert "let in" not in await ask(terminal, f"/approve {code}")
        telegram.say("hello?", user=STRANGER)
        await telegram.until(lambda: len(telegram.texts(STRANGER)) == 2)
        assert code not in telegram.texts(STRANGER)[1]


async def test_one_who_was_turned_away_hears_nothing_more(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel
) -> None:
    settings(allow=[42])
    async with daemon(ScriptedModel("for Ann"), terminal):
        telegram.say("hello", user=STRANGER)
        code = await code_of(telegram)
        assert "Turned away" in await ask(terminal, f"/deny {code}")
        telegram.say("hello?", user=STRANGER)
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42))
        assert len(telegram.texts(STRANGER)) == 1


async def test_a_renamed_stranger_stays_a_stranger(daemon: Daemon, settings: Settings, telegram: TelegramApi) -> None:
    settings(allow=[42])
    async with daemon(model := ScriptedModel()):
        telegram.say("it is me", user=STRANGER, name="42")
        await telegram.until(lambda: telegram.texts(STRANGER))
        sender = {"id": STRANGER, "is_bot": False, "first_name": "Ann", "username": "42"}
        telegram.say("really", user=STRANGER, also={"from": sender})
        await telegram.until(lambda: telegram.confirmed == 2)
    assert not model.requests


def _more(telegram: TelegramApi, before: int) -> bool:
    return len(telegram.texts(STRANGER)) > before


def bash() -> Message:
    return Message("assistant", ({"type": "tool_use", "id": "c1", "name": "bash", "input": {"command": "id"}},))


async def test_a_guest_has_no_shell_no_memory_and_no_commands_of_the_owner(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel, workspace: Path
) -> None:
    settings(allow=[42])
    (workspace / "USER.md").write_text("The owner's alarm code is 5512.")
    (workspace / "BOOTSTRAP.md").write_text("Be kind.")
    model = ScriptedModel(bash(), "I cannot", "as you wish")
    async with daemon(model, terminal):
        await pair(telegram, terminal)
        telegram.say("run id", user=STRANGER)
        await telegram.until(lambda: telegram.texts(STRANGER)[1:] == ["I cannot"])
        offered = {tool.name for tool in model.requests[0].tools}
        assert offered <= {"web_fetch", "web_search", "use_skill"}
        assert "Be kind." in str(model.requests[0].system)
        assert "5512" not in str(model.requests[0])
        assert "bash" in str(model.requests[1].messages[-1].blocks), "the call was refused"
        for order in ("/approve", "/route cookie", "/memory x", "/crons", "/sessions"):
            before = len(telegram.texts(STRANGER))
            telegram.say(order, user=STRANGER)
            await telegram.until(partial(_more, telegram, before))
        answers = telegram.texts(STRANGER)[2:]
        assert all("is for the owner" in answer or "There is no command" in answer for answer in answers[:4])
        telegram.say("hi", user=42)
        await telegram.until(lambda: telegram.texts(42) == ["as you wish"])
    assert "bash" in {tool.name for tool in model.requests[-1].tools}, "the owner has it"
    assert "5512" in str(model.requests[-1])


async def test_two_people_have_two_sessions(daemon: Daemon, settings: Settings, telegram: TelegramApi) -> None:
    settings(allow=[1, 2])
    model = ScriptedModel("noted", "what canary?")
    async with daemon(model):
        telegram.say("my canary is Kiwi-81", user=1)
        await telegram.until(lambda: telegram.texts(1))
        telegram.say("what is the canary?", user=2)
        await telegram.until(lambda: telegram.texts(2))
    assert "Kiwi-81" not in str(model.requests[-1])


async def test_a_guest_who_floods_is_held_and_others_are_served(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel, clock: FakeClock
) -> None:
    settings(allow=[42], guest_rate=3)
    model = ScriptedModel("1", "2", "3", "for Ann", "4")
    async with daemon(model, terminal):
        await pair(telegram, terminal)
        for _ in range(50):
            telegram.say("more", user=STRANGER)
        await telegram.until(lambda: telegram.texts(STRANGER)[1:] and telegram.confirmed == 51)
        await telegram.until(lambda: {"1", "2", "3"} <= {*telegram.texts(STRANGER)})
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42) == ["for Ann"])
        notices = [text for text in telegram.texts(STRANGER) if "too many messages at once" in text]
        assert len(notices) == 1, "said once"
        clock.advance(minutes=1)
        telegram.say("again", user=STRANGER)
        await telegram.until(lambda: "4" in telegram.texts(STRANGER))


async def test_a_paired_owner_may_do_what_the_owner_may(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, terminal: FakeChannel
) -> None:
    settings(allow=[42])
    async with daemon(ScriptedModel(), terminal):
        await pair(telegram, terminal, "owner")
        telegram.say("/approve", user=STRANGER)
        await telegram.until(lambda: telegram.texts(STRANGER)[1:] == ["Nothing waits for an answer."])


async def test_bots_are_never_answered_even_when_listed(
    daemon: Daemon, settings: Settings, telegram: TelegramApi
) -> None:
    settings(allow=[42, 7])
    model = ScriptedModel("for Ann")
    async with daemon(model):
        telegram.say("hello", user=7, also={"from": {"id": 7, "is_bot": True, "first_name": "Other"}})
        telegram.say("hello", user=42, also={"sender_chat": {"id": -1, "type": "channel"}})
        telegram.say("hello", user=42)
        await telegram.until(lambda: telegram.texts(42) == ["for Ann"] and telegram.confirmed == 3)
    assert len(model.requests) == 1


def group(text: str, name: str = "@pickle_bot") -> dict[str, Any]:
    start = len(text.encode("utf-16-le")[: 2 * len(text.partition(name)[0].encode("utf-16-le")) // 2]) // 2
    found = [{"type": "mention", "offset": start, "length": len(name)}] if name in text else []
    return {"text": text, "chat": -100, "also": {"entities": found}}


async def test_in_a_group_only_what_is_meant_for_the_bot_is_heard_and_its_sender_is_checked(
    daemon: Daemon, settings: Settings, telegram: TelegramApi
) -> None:
    settings(allow=[42])
    model = ScriptedModel("at your service", "again", "once more")
    async with daemon(model):
        telegram.say(**group("lovely weather"))
        telegram.say(**group("😀 well, @pickle_bot, is it?"))
        await telegram.until(lambda: telegram.texts(-100) == ["at your service"])
        answer = next(iter(telegram.shown.values()))
        bot = {"message_id": answer.id, "from": {"id": 4242, "is_bot": True, "first_name": "Pickle"}}
        telegram.say("and tomorrow?", chat=-100, also={"reply_to_message": bot})
        await telegram.until(lambda: telegram.texts(-100)[1:] == ["again"])
        telegram.say("and me?", chat=-100, user=STRANGER, also={"reply_to_message": bot})
        telegram.say(**group("@pickle_bot and me?"), user=STRANGER)
        telegram.say(**group("@pickle_bot, thanks"))
        await telegram.until(lambda: telegram.texts(-100)[2:] == ["once more"])
        await telegram.until(lambda: telegram.confirmed == 6)
        assert not telegram.texts(STRANGER), "no code is shown where others read it"
    assert len(model.requests) == 3
    assert "and tomorrow?" in str(model.requests[1].messages[-1])
