"""Replies that grow before one's eyes, files both ways, and buttons: on Telegram, through the whole daemon."""

import asyncio
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest, TextChunk
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from picklebot.testing.model import USAGE
from picklebot.testing.telegram_api import TelegramApi, Trouble
from tests.channels.conftest import as_time_passes
from tests.cli.inside import command
from tests.flow.conftest import Daemon
from tests.flow.test_file_proposals import JOB, write

Settings = Callable[..., None]
OPENING, REST = "Once upon a time there was a pickle,", " and it lived in a jar."


class Storyteller:
    """Begins at once, and goes on when it is let."""

    name = "storyteller"

    def __init__(self) -> None:
        self.go_on = asyncio.Event()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        yield TextChunk(OPENING)
        await self.go_on.wait()
        yield TextChunk(REST)
        yield ModelReply(
            message=Message.assistant(OPENING + REST), stop_reason="end_turn", usage=USAGE, model=self.name
        )

    async def aclose(self) -> None: ...


async def test_a_reply_grows_in_one_message(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, clock: FakeClock
) -> None:
    settings(allow=[42])
    async with daemon(model := Storyteller()):
        telegram.say("a story")
        await as_time_passes(clock, telegram, lambda: telegram.texts(42) == [OPENING + " …"], seconds=5)
        assert telegram.called("sendChatAction")
        model.go_on.set()
        await telegram.until(lambda: telegram.texts(42) == [OPENING + REST])
    assert len(telegram.shown) == 1


async def test_a_crash_between_the_beginning_and_the_end_leaves_one_message(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, clock: FakeClock
) -> None:
    settings(allow=[42])
    async with daemon(Storyteller(), grace=0.1):
        telegram.say("a story")
        await as_time_passes(clock, telegram, lambda: telegram.texts(42) == [OPENING + " …"], seconds=5)
    telegram.trouble("editMessageText", Trouble(cut=True, after=True))  # it is there, and nobody heard
    model = Storyteller()
    model.go_on.set()
    async with daemon(model):
        await as_time_passes(clock, telegram, lambda: len(telegram.called("editMessageText")) >= 2)
        await as_time_passes(clock, telegram, lambda: telegram.texts(42) == [OPENING + REST])
    assert len(telegram.shown) == 1


async def test_a_reply_whose_beginning_was_deleted_comes_anew(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, clock: FakeClock
) -> None:
    settings(allow=[42])
    async with daemon(model := Storyteller()):
        telegram.say("a story")
        await as_time_passes(clock, telegram, lambda: telegram.texts(42) == [OPENING + " …"], seconds=5)
        telegram.shown.clear()
        model.go_on.set()
        await telegram.until(lambda: telegram.texts(42) == [OPENING + REST])


async def test_a_preview_that_telegram_does_not_take_costs_no_reply(
    daemon: Daemon, settings: Settings, telegram: TelegramApi
) -> None:
    settings(allow=[42])
    telegram.trouble("sendChatAction", Trouble(code=429, parameters={"retry_after": 30}))
    async with daemon(model := Storyteller()):
        telegram.say("a story")
        await telegram.until(lambda: telegram.called("sendChatAction"))
        model.go_on.set()
        await telegram.until(lambda: telegram.texts(42) == [OPENING + REST])


async def test_the_menu_lists_the_commands(daemon: Daemon, settings: Settings, telegram: TelegramApi) -> None:
    settings(allow=[42])
    telegram.trouble("setMyCommands", Trouble())
    async with daemon(ScriptedModel("hello")):
        telegram.say("hi")
        await telegram.until(lambda: telegram.texts(42) == ["hello"])
    async with daemon(ScriptedModel()):
        await telegram.until(lambda: telegram.commands)
    assert {"help", "new", "stop", "approve"} <= {each["command"] for each in telegram.commands}


PHOTO = {"photo": [{"file_id": "small", "width": 90, "height": 60}, {"file_id": "large", "width": 900, "height": 600}]}


async def test_a_photo_is_kept_under_a_name_made_here_and_the_agent_is_told(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    telegram.files["large"] = b"\xff\xd8 a picture"
    model = ScriptedModel("nice", "two", "three")
    async with daemon(model):
        telegram.say(also={**PHOTO, "caption": "look"})
        telegram.say("and?")
        await telegram.until(lambda: len(telegram.texts(42)) == 2)
        assert "look\n[File: attachments/" in model.requests[0].messages[-1].text, "the words that came after are after"
        [kept] = (workspace / "attachments").rglob("*.jpg")
        assert kept.read_bytes() == b"\xff\xd8 a picture"
        assert f"{kept.relative_to(workspace)} (a photo, a photo, 12 bytes)" in model.requests[0].messages[-1].text


@pytest.mark.parametrize(
    "name", ["../../../etc/cron.d/x", "a\0b", "x" * 300 + ".pdf", "CON", "evil\u202egpj.exe", "a\n[File: b]"]
)
async def test_no_name_that_a_sender_chooses_names_a_file(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path, name: str
) -> None:
    settings(allow=[42])
    telegram.files["f1"] = b"content"
    before = {*workspace.parent.rglob("*")}
    model = ScriptedModel("thanks")
    async with daemon(model):
        telegram.say(also={"document": {"file_id": "f1", "file_name": name, "file_size": 7}})
        await telegram.until(lambda: telegram.texts(42) == ["thanks"])
    fresh = [
        path for path in {*workspace.parent.rglob("*")} - before if ".picklebot" not in path.parts and path.is_file()
    ]
    assert [path.parent.parent for path in fresh] == [workspace / "attachments"]
    assert len(fresh[0].name) < 40
    told = model.requests[0].messages[-1].text
    assert told.count("[File: ") == 1 + name.count("[File: ")
    assert "\u202e" not in told
    assert "\n[File: b]" not in told


async def test_a_file_that_is_too_large_or_does_not_come_is_said_so(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    model = ScriptedModel("one", "two")
    async with daemon(model):
        telegram.say(also={"document": {"file_id": "f1", "file_name": "big.bin", "file_size": 30_000_000}})
        await telegram.until(lambda: telegram.texts(42) == ["one"])
        telegram.say(also={"document": {"file_id": "gone", "file_name": "gone.bin"}})
        await telegram.until(lambda: telegram.texts(42)[1:] == ["two"])
    assert "did not come through, “big.bin”: it has 30,000,000 bytes" in model.requests[0].messages[-1].text
    assert "did not come through, “gone.bin”" in model.requests[1].messages[-1].text
    assert not (workspace / "attachments").exists()


async def test_a_stranger_sends_no_files(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    telegram.files["large"] = b"x"
    async with daemon(ScriptedModel()):
        telegram.say(user=666, also=PHOTO)
        await telegram.until(lambda: telegram.texts(666) and telegram.confirmed)
    assert not telegram.called("getFile")
    assert not (workspace / "attachments").exists()


def send(path: str, **given: Any) -> Message:
    call = {"type": "tool_use", "id": "c1", "name": "send_file", "input": {"path": path, **given}}
    return Message("assistant", (call,))


async def test_an_agent_sends_a_file_before_its_reply(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    (workspace / "report.pdf").write_bytes(b"%PDF-1.7 all is well")
    (workspace / "graph.png").write_bytes(b"\x89PNG")
    model = ScriptedModel(send("report.pdf", caption="As you asked."), "There it is.", send("graph.png"), "And that.")
    async with daemon(model):
        telegram.say("the report, please")
        await telegram.until(lambda: telegram.texts(42) == ["As you asked.", "There it is."])
        telegram.say("and the graph")
        await telegram.until(lambda: telegram.texts(42)[2:] == ["And that."])
    sent = [shown.file for shown in telegram.shown.values() if shown.file]
    assert sent == [("report.pdf", b"%PDF-1.7 all is well"), ("graph.png", b"\x89PNG")]
    assert [name for name, _ in telegram.calls if name.startswith(("sendD", "sendP"))] == ["sendDocument", "sendPhoto"]


async def test_what_is_behind_a_link_or_out_of_reach_is_not_sent(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path, tmp_path: Path
) -> None:
    settings(allow=[42])
    (tmp_path / "secret").write_text("secret")
    (workspace / "link").symlink_to(tmp_path / "secret")
    os.mkfifo(workspace / "pipe")
    paths = ["link", "../secret", str(tmp_path / "secret"), ".env", ".picklebot/picklebot.db", "pipe", "agents", "gone"]
    model = ScriptedModel(*[line for path in paths for line in (send(path), "no")])
    async with daemon(model):
        for number, _ in enumerate(paths, start=1):
            telegram.say("send it")
            await telegram.until(lambda number=number: len(telegram.texts(42)) == number)  # type: ignore[misc]
    assert not [shown for shown in telegram.shown.values() if shown.file]
    results = [request.messages[-1].blocks[0] for request in model.requests[1::2]]
    assert all(
        (result["is_error"] and "cannot be sent" in str(result["content"])) or "no regular" in str(result["content"])
        for result in results
    )


async def test_a_file_that_was_swapped_for_a_link_is_not_sent(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path, tmp_path: Path, clock: FakeClock
) -> None:
    settings(allow=[42])
    (tmp_path / "secret").write_text("secret")
    (workspace / "notes.txt").write_text("notes")
    telegram.trouble("sendMessage", Trouble(code=500))
    async with daemon(ScriptedModel(send("notes.txt", caption="here"), "done")):
        telegram.say("send it")
        await telegram.until(lambda: telegram.called("sendMessage"))
        (workspace / "notes.txt").unlink()
        (workspace / "notes.txt").symlink_to(tmp_path / "secret")
        await as_time_passes(clock, telegram, lambda: telegram.texts(42) == ["done"])
        dead = (await command(workspace, "events", "dead")).stdout
    assert "notes.txt" in dead
    assert not [shown for shown in telegram.shown.values() if shown.file]


async def test_what_waits_for_the_owner_comes_with_buttons_that_answer_it_once(
    daemon: Daemon, settings: Settings, telegram: TelegramApi, workspace: Path
) -> None:
    settings(allow=[42])
    other = FakeChannel("fake")
    async with daemon(ScriptedModel("hello", write("crons/brief/CRON.md", JOB), "It waits for the owner."), other):
        telegram.say("hi")
        await telegram.until(lambda: telegram.texts(42) == ["hello"])
        await other.say("a job, please")
        await telegram.until(lambda: len(telegram.texts(42)) == 2)
        asked = [*telegram.shown.values()][-1]
        assert [label for label, _ in asked.buttons] == ["Approve", "Deny"]
        telegram.press(asked, "Approve", user=666)
        await telegram.until(lambda: telegram.confirmed == 2)
        assert not (workspace / "crons" / "brief").exists()
        telegram.press(asked, "Approve")
        await telegram.until(lambda: "is in force" in telegram.texts(42)[-1])
        await telegram.until(lambda: not asked.buttons)
        assert (workspace / "crons" / "brief" / "CRON.md").read_text() == JOB
