"""The file channel, from the folder's side: what is dropped, and what is found."""

import asyncio
import json
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from picklebot.channels.base import Accepted, Letter
from picklebot.channels.file import create
from picklebot.channels.file.folders import Folders
from picklebot.core.source import Source
from picklebot.errors import ConfigError, QueueFull
from picklebot.testing import ScriptedModel
from picklebot.testing.clock import PATIENCE
from tests.flow.conftest import Daemon

ANN = Source("file", ("ann",))
BAD = {
    "half": (b'{"content": "hi', "EOF"),
    "deep": (b"[" * 100_000, "recursion"),
    "list": (b"[1]", "object"),
    "field": (b'{"content": "hi", "txt": 1}', "txt"),
    "bytes": (b'{"content": "\xff"}', "invalid unicode"),
    "huge": (b'{"content": "' + b"x" * 4_000_001 + b'"}', "more than the 4,000,000 bytes"),
    "outside": (b'{"content": "hi", "files": ["../x"]}', "not the name of a file beside it"),
    "nobody": (b'{"content": "hi", "agent": "nobody"}', "nobody"),
    "empty": (b'{"content": " "}', "the message is empty"),
}


@pytest.fixture
def folder(workspace: Path) -> Path:
    """The folder of a daemon that listens to it."""
    with (workspace / "config.yaml").open("a") as file:
        file.write("channels: {file: {enabled: true}}\n")
    top = workspace / ".picklebot" / "files"
    (top / "in").mkdir(parents=True)
    return top


def drop(folder: Path, name: str, **message: Any) -> None:
    """Leave a message as a careful program does: whole, or not at all."""
    draft = folder / "in" / f".{name}"
    draft.write_text(json.dumps(message))
    draft.rename(folder / "in" / f"{name}.json")


def made_long_ago(path: Path) -> None:
    os.utime(path, (1_000_000_000, 1_000_000_000), follow_symlinks=False)


async def until(fact: Callable[[], object]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not fact():  # noqa: ASYNC110  (a folder has no bell)
            await asyncio.sleep(0.02)


async def found(place: Path) -> dict[str, Any]:
    await until(place.exists)
    return json.loads(place.read_text())  # type: ignore[no-any-return]


async def test_a_file_becomes_a_message_and_its_reply_a_file(daemon: Daemon, folder: Path, workspace: Path) -> None:
    (folder / "in" / "graph.png").write_bytes(b"\x89PNG")
    model = ScriptedModel("hello", "a graph")
    async with daemon(model):
        drop(folder, "first", content="hi")
        first = await found(folder / "out" / "first.json")
        drop(folder, "second", content="look", files=["graph.png"])
        second = await found(folder / "out" / "second.json")
        drop(folder, "first", content="/help", **{"from": "bob"})
        again = await found(folder / "out" / "first.2.json")
    assert (first["content"], first["answers"], first["to"]) == ("hello", ["first"], "local")
    assert second["content"] == "a graph"
    assert first["id"] < second["id"], "sorted by id, replies are in order"
    assert again["to"] == "bob"
    assert "/help" in again["content"]
    assert "look\n[File: attachments/" in model.requests[1].messages[-1].text, "one sender has one session"
    assert not [*(folder / "in").iterdir()]
    assert len([*(folder / "accepted").iterdir()]) == 3


async def test_what_is_no_message_is_set_aside_with_the_reason(daemon: Daemon, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text('{"content": "a secret"}')
    for name, (content, _) in BAD.items():
        (folder / "in" / f"{name}.json").write_bytes(content)
    (folder / "in" / "link.json").symlink_to(tmp_path / "secret")
    os.link(tmp_path / "secret", folder / "in" / "second_name.json")
    os.mkfifo(folder / "in" / "pipe.json")
    (folder / "in" / "folder.json").mkdir()
    (folder / "in" / os.fsdecode(b"\xff\n.json")).write_text("{")
    for path in (folder / "in").iterdir():
        made_long_ago(path)
    model = ScriptedModel()
    async with daemon(model):
        await until(lambda: not [*(folder / "in").iterdir()])
    reasons = {path.name.partition(".")[0]: path.read_text() for path in (folder / "bad").glob("*.reason.txt")}
    assert all(re.search(words, reasons[name]) for name, (_, words) in BAD.items()), reasons
    assert {*reasons} - {*BAD} == {"link", "second_name", "pipe", "folder", "file"}
    assert not model.requests
    assert (tmp_path / "secret").exists()


async def test_a_file_that_is_still_being_written_is_waited_for(daemon: Daemon, folder: Path) -> None:
    async with daemon(ScriptedModel("hello")):
        with (folder / "in" / "slow.json").open("w") as file:
            file.write('{"content": ')
            file.flush()
            drop(folder, "quick", content="/help", **{"from": "bob"})
            await found(folder / "out" / "quick.json")
            file.write('"hi"}')
        assert (await found(folder / "out" / "slow.json"))["content"] == "hello"


async def test_the_same_file_is_the_same_message_and_one_sender_is_heard_in_order(tmp_path: Path) -> None:
    channel = create(name="file", state=str(tmp_path))
    folder = tmp_path / "files"
    (folder / "in").mkdir(parents=True)
    for number in range(250):
        drop(folder, f"{number}", content=f"m{number}", **{"from": "ann" if number % 2 else "bob"})
    async with channel.connect() as messages:
        first = await anext(messages)  # and the daemon is killed after its commit
    heard: list[tuple[str, str]] = []
    keys: list[str] = []
    turned_away = 0
    async with channel.connect() as messages:
        async for incoming in messages:
            keys.append(incoming.key)
            if incoming.content == "m7" and not turned_away:
                turned_away = 1
                incoming.settle(QueueFull("the session has enough"))
                continue
            heard.append((incoming.sender, incoming.content))
            incoming.settle(Accepted(event_id=f"e{incoming.content}", session_id="s"))
            if len(heard) == 250:
                break
        await until(lambda: len([*(folder / "in").iterdir()]) <= 1)
    assert keys[0] == first.key
    assert len({*keys}) == 250
    for person, start in (("ann", 1), ("bob", 0)):
        assert [said for who, said in heard if who == person] == [f"m{n}" for n in range(start, 250, 2)]
    letter = Letter(content="all of it", key="e-reply", answers=["em0", "em1"])
    assert [await channel.deliver(ANN, letter) for _ in range(2)] == ["0", "0"], "again changes nothing"
    assert sorted(path.name for path in (folder / "out").iterdir()) == ["0.json", "1.json"]


def test_a_file_is_not_taken_before_one_that_came_while_the_folder_was_read(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "files")
    folders.prepare()

    def write() -> None:
        for number in range(1_200):
            (folders.top / "in" / f"{number:04}.json").touch()

    writer = threading.Thread(target=write)
    writer.start()
    looks: list[list[str]] = []
    while writer.is_alive():
        looks.append([each.name for each in folders.waiting(1_200, ())])
    writer.join()
    assert all(look == [f"{number:04}.json" for number in range(len(look))] for look in looks)


def test_a_folder_that_is_away_is_no_fault_of_a_file_and_no_name_of_a_reply(tmp_path: Path) -> None:
    folders = Folders(tmp_path / "files")
    folders.prepare()
    folders.write("in", "1.json", {"content": "hi"})
    (folders.top / "accepted" / "e1.json").write_text("not a receipt")
    assert folders.stem_of("e1") is None
    folders.top.rename(tmp_path / "elsewhere")
    folders.top.touch()
    for ask in (lambda: folders.read("1.json", 100), lambda: folders.stem_of("e1")):
        with pytest.raises(NotADirectoryError):
            ask()


def test_a_folder_that_agents_can_write_to_is_refused(tmp_path: Path) -> None:
    state = str(tmp_path / "workspace" / ".picklebot")
    for folder in (tmp_path / "workspace", tmp_path / "workspace" / "inbox", tmp_path / "workspace" / "a" / ".." / "b"):
        with pytest.raises(ConfigError, match="agents write"):
            create(name="file", state=state, folder=str(folder))
    with pytest.raises(ConfigError, match="not an absolute path"):
        create(name="file", state=state, folder="inbox")
    create(name="file", state=state, folder=str(tmp_path / "elsewhere"))
