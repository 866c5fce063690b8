"""`picklebot events dead|retry|drop`, through the real program."""

import asyncio
import os
from pathlib import Path

import pytest

from picklebot.clock import SystemClock
from picklebot.core.events import OutboundEvent
from picklebot.lock import Holder, hold
from picklebot.store.sqlite import SqliteStore
from tests.cli.inside import command, document
from tests.cli.running import ANN, begin, database, fill, lines, run


@pytest.fixture
async def letters(workspace: Path) -> tuple[str, str]:
    """A message and a reply that were set aside; their ids."""

    async def use(store: SqliteStore) -> tuple[str, str]:
        turn = await begin(store, "poison", key="k1")
        notice = OutboundEvent(
            session_id=turn.event.session_id, source=ANN, to=ANN, cause_id=turn.event.id, content="set aside"
        )
        await store.inbox.bury(turn, error="it never ended", notice=notice)
        [row] = await store.outbox.claim("telegram", SystemClock().now(), limit=1)
        await store.outbox.bury(row, error="blocked", at=SystemClock().now())
        return turn.event.id, notice.id

    ids: tuple[str, str] = await fill(workspace, use)
    return ids


async def test_what_is_set_aside_is_listed_retried_and_dropped(workspace: Path, letters: tuple[str, str]) -> None:
    message, reply = letters
    dead = (await document(workspace, "events", "dead"))["events"]
    assert [
        {key: entry[key] for key in ("id", "source", "attempts", "error", "content", "kind")} for entry in dead
    ] == [
        {
            "id": message,
            "source": "telegram:42:7",
            "attempts": 1,
            "error": "it never ended",
            "content": "poison",
            "kind": "message",
        },
        {
            "id": reply,
            "source": "telegram:42:7",
            "attempts": 1,
            "error": "blocked",
            "content": "set aside",
            "kind": "reply",
        },
    ]
    table = lines((await command(workspace, "events", "dead")).stdout)
    assert [line.split()[0] for line in table] == ["ID", message, reply]
    retried = await asyncio.to_thread(run, workspace, "events", "retry", message)
    assert (retried.returncode, retried.stdout) == (0, f"{message}\n")
    dropped = await command(workspace, "events", "drop", reply[:22])
    assert (dropped.returncode, dropped.stdout) == (0, f"{reply}\n")
    status = await document(workspace, "status")
    assert (status["open"], status["undelivered"], status["dead"]) == (1, 0, 0)
    assert await document(workspace, "events", "dead") == {"events": []}


async def test_all_are_retried_at_once_and_a_second_time_there_is_nothing(
    workspace: Path, letters: tuple[str, str]
) -> None:
    first = await command(workspace, "events", "retry", "--all")
    assert lines(first.stdout) == list(letters)
    second = await command(workspace, "events", "retry", "--all")
    assert (second.returncode, second.stdout) == (0, "")


async def test_while_a_daemon_runs_nothing_is_written_and_the_words_say_why(
    workspace: Path, letters: tuple[str, str]
) -> None:
    state = database(workspace).parent
    with hold(state / "lock", state / "daemon.json", Holder(os.getpid(), "server", "noon")):
        for words in (("retry", "--all"), ("drop", letters[0])):
            done = await command(workspace, "events", *words)
            assert (done.returncode, done.stdout) == (75, "")
            assert "a picklebot server" in done.stderr
        assert len((await document(workspace, "events", "dead"))["events"]) == 2


@pytest.mark.parametrize("arguments", [("retry",), ("retry", "x", "--all"), ("drop",)])
async def test_which_one_has_to_be_said(workspace: Path, arguments: tuple[str, ...]) -> None:
    assert (await command(workspace, "events", *arguments)).returncode == 2


async def test_what_is_not_set_aside_is_not_found(workspace: Path, letters: tuple[str, str]) -> None:
    done = await command(workspace, "events", "drop", "zzz")
    assert done.returncode == 1
    assert "'zzz'" in done.stderr
