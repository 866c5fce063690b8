"""`picklebot tasks list|add|cancel`, with and without a daemon."""

import asyncio
import os
from pathlib import Path

import pytest

from picklebot.clock import SystemClock
from picklebot.lock import Holder, hold
from picklebot.store.sqlite import open_store
from picklebot.testing.clock import PATIENCE
from picklebot.workers.requests import Request, RequestFolder
from picklebot.workers.task_roster import TaskRoster
from picklebot.workspace import Workspace
from tests.cli.inside import command, document


async def test_a_task_is_added_listed_and_cancelled_where_nothing_ever_ran(workspace: Path) -> None:
    assert (await document(workspace, "tasks", "list")) == {"tasks": []}
    made = await document(workspace, "tasks", "add", "Look.", "--every", "5m", "--deliver", "telegram:42:42")
    assert {key: made[key] for key in ("id", "state", "prompt", "agent", "every", "deliver", "session_id")} == {
        "id": "1",
        "state": "active",
        "prompt": "Look.",
        "agent": "echo",
        "every": 300.0,
        "deliver": "telegram:42:42",
        "session_id": None,
    }
    done = await command(workspace, "tasks", "add", "Once.", "--at", "2099-01-01T09:00", "--timezone", "Asia/Tokyo")
    assert (done.stdout, done.stderr) == ("2\n", "Task 2 runs Thursday 2099-01-01 09:00 (Asia/Tokyo).\n")
    assert (await command(workspace, "tasks", "cancel", "task:1")).returncode == 0
    assert (await command(workspace, "tasks", "cancel", "1")).returncode == 1
    listed = (await document(workspace, "tasks", "list"))["tasks"]
    assert [(task["id"], task["state"], task["next"]) for task in listed] == [
        ("2", "active", "2099-01-01T09:00:00+09:00"),
        ("1", "cancelled", None),
    ]
    table = (await command(workspace, "tasks", "list")).stdout.splitlines()
    assert [line.split()[0] for line in table] == ["ID", "2", "1"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("Look.",), 2, "here is none"),
        (("Look.", "--at", "2001-01-01"), 2, "has passed"),
        (("Look.", "--every", "1h", "--at", "10:00"), 2, "here are 2"),
        (("Look.", "--every", "1h", "--deliver", "home"), 2, "no place to deliver to"),
        (("Look.", "--every", "1h", "-a", "ech"), 1, "did you mean 'echo'"),
        (("  ", "--every", "1h"), 1, "this has 0"),
    ],
)
async def test_what_makes_no_task_is_refused_in_words(
    workspace: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = await command(workspace, "tasks", "add", *arguments)
    assert (done.returncode, words in done.stderr) == (code, True), done.stderr
    assert (await document(workspace, "tasks", "list")) == {"tasks": []}


async def test_an_unknown_task_cannot_be_cancelled(workspace: Path) -> None:
    done = await command(workspace, "tasks", "cancel", "7")
    assert (done.returncode, "there is no task '7'" in done.stderr) == (1, True)


async def test_beside_a_chat_nothing_is_changed(workspace: Path) -> None:
    place = Workspace(workspace)
    place.prepare()
    with hold(place.lock_file, place.daemon_file, Holder(os.getpid(), "chat", SystemClock().now().isoformat())):
        done = await command(workspace, "tasks", "add", "Look.", "--every", "1h")
    assert (done.returncode, "a picklebot chat" in done.stderr) == (75, True)


async def test_what_was_left_for_a_daemon_is_taken_once(workspace: Path) -> None:
    place = Workspace(workspace)
    place.prepare()
    folder = RequestFolder(place.requests)
    told: list[str] = []

    async def tell(task: object, words: str) -> None:
        told.append(words)

    async with open_store(place.database) as store:
        roster = TaskRoster(store.tasks, tell=tell)

        async def daemon() -> list[Request]:
            async with asyncio.timeout(PATIENCE):
                while not (left := folder.pending()):  # noqa: ASYNC110  (a folder rings no bell)
                    await asyncio.sleep(0.02)
            for request in left:
                assert await roster.change(request) == await roster.change(request)
                folder.done(request)
            return list(left)

        # No process of that number can be rung: the daemon of this test looks by itself.
        with hold(place.lock_file, place.daemon_file, Holder(2**22 + 1, "server", SystemClock().now().isoformat())):
            taking = asyncio.create_task(daemon())
            made = await document(workspace, "tasks", "add", "Look.", "--schedule", "0 9 * * *")
            assert [request.what for request in await taking] == ["add"]
            taking = asyncio.create_task(daemon())
            assert (await command(workspace, "tasks", "cancel", made["id"])).returncode == 0
            assert [request.what for request in await taking] == ["cancel"]
        assert [task.state for task in await store.tasks.ended()] == ["cancelled"]
        assert await store.tasks.open() == []
