"""The short commands, through the real program."""

import asyncio
import json
import os
import signal
import sqlite3
from datetime import datetime
from pathlib import Path

import pytest

from picklebot.clock import SystemClock
from picklebot.core.events import OutboundEvent
from picklebot.core.source import Source
from picklebot.lock import Holder, hold
from picklebot.store.sqlite import SqliteStore, open_store
from tests.cli.running import PROGRAM, accept, begin, conversation, database, environment, fill, lines, run, run_json

STATUS_KEYS = {
    "version",
    "pid",
    "uptime_s",
    "open",
    "running",
    "undelivered",
    "dead",
    "spend_today_usd",
    "next_jobs",
    "problems",
}


def add_cron(workspace: Path, name: str, *keys: str) -> None:
    folder = workspace / "crons" / name
    folder.mkdir(parents=True)
    (folder / "CRON.md").write_text("\n".join(["---", *keys, "---", "Do it."]), encoding="utf-8")


def test_status_has_every_key_where_nothing_ever_ran(workspace: Path) -> None:
    status = run_json(workspace, "status", "--json")
    assert set(status) >= STATUS_KEYS
    assert (status["pid"], status["uptime_s"], status["open"], status["problems"]) == (None, None, 0, [])
    told = run(workspace, "status")
    assert told.returncode == 0
    assert "Nothing runs here" in told.stdout
    assert not (workspace / ".picklebot").exists()


def test_status_says_who_runs_and_for_how_long(workspace: Path) -> None:
    state = database(workspace).parent
    holder = Holder(os.getpid(), "server", SystemClock().now().isoformat())
    with hold(state / "lock", state / "daemon.json", holder):
        status = run_json(workspace, "status", "--json")
        told = run(workspace, "status").stdout
    assert status["pid"] == os.getpid()
    assert 0 <= status["uptime_s"] < 60
    assert f"process {os.getpid()}" in told


async def test_status_counts_what_waits_what_was_set_aside_and_what_was_spent(workspace: Path) -> None:
    async def use(store: SqliteStore) -> None:
        await conversation(store)
        await accept(store, "and now?", key="k2")
        turn = await begin(store, "poison", key="k3", source=Source("telegram", ("43", "7")))
        notice = OutboundEvent(
            session_id=turn.event.session_id, source=turn.event.source, to=turn.event.source, content="set aside"
        )
        await store.inbox.bury(turn, error="crashed", notice=notice)
        [row] = await store.outbox.claim("telegram", SystemClock().now(), limit=1)
        await store.outbox.bury(row, error="gone", at=SystemClock().now())

    await fill(workspace, use)
    status = await asyncio.to_thread(run_json, workspace, "status", "--json")
    assert (status["open"], status["undelivered"], status["dead"]) == (1, 1, 2)
    assert status["spend_today_usd"] == pytest.approx(0.5)
    assert status["running"] == 0  # a turn that a crash left behind runs no more


def test_status_shows_a_broken_file_with_its_line_and_the_jobs_with_their_time(workspace: Path) -> None:
    add_cron(workspace, "noon", "schedule: 0 12 * * *", "timezone: Europe/Berlin")
    add_cron(workspace, "once", "at: 2099-01-01T09:00", "timezone: UTC")
    add_cron(workspace, "past", "at: 2001-01-01T09:00")
    add_cron(workspace, "off", "schedule: 0 12 * * *", "enabled: false")
    add_cron(workspace, "broken", "schedule: 0 99 * * *")
    status = run_json(workspace, "status", "--json")
    [problem] = status["problems"]
    assert problem["file"].endswith("broken/CRON.md")
    assert problem["line"] == 2
    assert "99" in problem["message"]
    assert [job["id"] for job in status["next_jobs"]] == ["noon", "once"]
    assert datetime.fromisoformat(status["next_jobs"][0]["at"]).strftime("%H:%M") == "12:00"
    assert status["next_jobs"][1]["at"] == "2099-01-01T09:00:00+00:00"


@pytest.mark.parametrize(
    ("arguments", "empty"),
    [
        (("sessions", "list"), {"sessions": []}),
        (("events", "list"), {"events": [], "last": 0}),
        (("skills", "list"), {"skills": []}),
        (("usage",), {"by": "day", "rows": []}),
    ],
)
def test_a_list_of_nothing_is_empty_and_no_failure(
    workspace: Path, arguments: tuple[str, ...], empty: dict[str, object]
) -> None:
    document = run_json(workspace, *arguments, "--json")
    assert {key: document[key] for key in empty} == empty
    told = run(workspace, *arguments)
    assert (told.returncode, told.stdout) == (0, "")
    assert told.stderr


async def test_a_session_is_listed_and_shown_as_a_conversation(workspace: Path) -> None:
    turn = await fill(workspace, conversation)
    [listed] = (await asyncio.to_thread(run_json, workspace, "sessions", "list", "--json"))["sessions"]
    assert (listed["id"], listed["agent"], listed["source"], listed["turns"]) == (
        turn.event.session_id,
        "echo",
        "telegram:42:7",
        1,
    )
    shown = await asyncio.to_thread(run, workspace, "sessions", "show", turn.event.session_id[:20])
    assert "<context>" not in shown.stdout
    assert lines(shown.stdout)[1:] == [
        "",
        "you: what is here?",
        '  [glob] {"pattern": "*"} -> notes.md plan.md',
        "",
        "echo: Two files.",
    ]


async def test_a_message_that_waits_is_shown_as_not_answered(workspace: Path) -> None:
    waiting = await fill(workspace, lambda store: accept(store, "anybody?", key="k1"))
    shown = await asyncio.to_thread(run, workspace, "sessions", "show", waiting.event.session_id)
    assert lines(shown.stdout)[-2:] == ["you: anybody?", "  (not answered yet)"]


async def test_events_are_one_line_each_newest_last_whatever_they_hold(workspace: Path) -> None:
    async def use(store: SqliteStore) -> None:
        await accept(store, "first", key="k1")
        await accept(store, "red \x1b[31m\nand \u202e turned\x07", key="k2")

    await fill(workspace, use)
    listed = await asyncio.to_thread(run, workspace, "events", "list")
    first, second = lines(listed.stdout)
    assert first.endswith("first")
    assert "InboundEvent" in first
    assert second.endswith(r"red \x1b[31m and \u202e turned\x07")
    document = await asyncio.to_thread(run_json, workspace, "events", "list", "--json", "-n", "1")
    assert document["last"] == 2
    assert [entry["event"]["content"] for entry in document["events"]] == ["red \x1b[31m\nand \u202e turned\x07"]


async def test_an_event_is_shown_whole_with_how_it_stands(workspace: Path) -> None:
    waiting = await fill(workspace, lambda store: accept(store, "two\nlines", key="k1"))
    shown = await asyncio.to_thread(run_json, workspace, "events", "show", waiting.event.id, "--json")
    assert (shown["seq"], shown["state"], shown["event"]["key"]) == (1, "open", "k1")
    told = await asyncio.to_thread(run, workspace, "events", "show", waiting.event.id)
    assert told.stdout.endswith("\ntwo\nlines\n")


@pytest.mark.parametrize("early", [True, False], ids=["before the database", "beside a writer"])
async def test_tail_follows_what_is_committed_after_it_began(workspace: Path, early: bool) -> None:
    command = [*PROGRAM, "-w", str(workspace), "events", "tail", "-f", "--json"]
    if not early:
        await fill(workspace, lambda store: accept(store, "before", key="k0"))
    tail = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE, env=environment())
    assert tail.stdout is not None
    if not early:
        assert json.loads(await tail.stdout.readline())["event"]["content"] == "before"
    async with open_store(database(workspace)) as store:
        for n in range(3):
            await accept(store, f"after {n}", key=f"k{n + 1}")
            assert json.loads(await tail.stdout.readline())["event"]["content"] == f"after {n}"
        tail.send_signal(signal.SIGINT)
        assert await tail.wait() == 130
    assert await tail.stdout.read() == b""


async def test_usage_sums_under_the_heading_that_is_asked_for(workspace: Path) -> None:
    await fill(workspace, conversation)
    for by, key in (("agent", "echo"), ("model", "claude-test")):
        document = await asyncio.to_thread(run_json, workspace, "usage", "--by", by, "--json")
        [row] = document["rows"]
        assert (row["key"], row["calls"], row["input_tokens"], row["cache_read_tokens"]) == (key, 2, 200, 10)
        assert document["total"]["cost_usd"] == pytest.approx(0.5)
    assert "0.5000" in (await asyncio.to_thread(run, workspace, "usage")).stdout


def test_usage_by_something_unknown_is_a_usage_error(workspace: Path) -> None:
    done = run(workspace, "usage", "--by", "moon")
    assert done.returncode == 2
    assert "agent, session, cron, day, model" in done.stderr


def test_agents_are_listed_shown_and_told_from_what_is_not_there(workspace: Path) -> None:
    assert [agent["id"] for agent in run_json(workspace, "agents", "list", "--json")["agents"]] == ["echo"]
    assert run_json(workspace, "agents", "show", "echo", "--json")["prompt"] == "Say back what you hear."
    missing = run(workspace, "agents", "show", "ecko")
    assert missing.returncode == 1
    assert "did you mean 'echo'?" in missing.stderr


def test_a_broken_definition_hides_no_other_and_says_why_when_it_is_shown(workspace: Path) -> None:
    add_cron(workspace, "good", "schedule: 0 12 * * *")
    add_cron(workspace, "bad", "schedule: never")
    listed = run(workspace, "crons", "list")
    assert listed.returncode == 0
    assert "good" in listed.stdout
    assert "1 file could not be read" in listed.stderr
    shown = run(workspace, "crons", "show", "bad")
    assert shown.returncode == 1
    assert "CRON.md:2: schedule" in shown.stderr


def test_tools_are_listed_with_what_may_be_done_with_them_after_a_crash(workspace: Path) -> None:
    tools = {tool["name"]: tool for tool in run_json(workspace, "tools", "list", "--json")["tools"]}
    assert tools["read_file"]["effect"] == "pure"
    assert tools["bash"]["effect"] == "once"
    assert "input_schema" in run_json(workspace, "tools", "show", "bash", "--json")


def test_config_is_checked_found_and_described(workspace: Path) -> None:
    assert run(workspace, "config", "path").stdout == f"{workspace / 'config.yaml'}\n"
    assert run(workspace, "config", "check").returncode == 0
    assert "default_agent" in run_json(workspace, "config", "schema")["properties"]
    (workspace / "config.yaml").write_text("default_agent: echo\nmodle: {}\n", encoding="utf-8")
    broken = run(workspace, "config", "check")
    assert broken.returncode == 78
    assert "config.yaml:2" in broken.stderr
    assert "'model'" in broken.stderr
    assert run(workspace, "config", "path").returncode == 0


def test_a_database_that_is_none_ends_in_a_sentence(workspace: Path) -> None:
    database(workspace).write_bytes(b"this is no database at all, however long it may be" * 40)
    for command in (("events", "tail"), ("status",)):
        done = run(workspace, *command)
        assert done.returncode == 1
        assert lines(done.stderr)[0].startswith("picklebot: ")
        assert len(lines(done.stderr)) == 1


def test_a_database_of_a_newer_program_is_refused_in_words(workspace: Path) -> None:
    connection = sqlite3.connect(database(workspace))
    connection.execute("PRAGMA user_version = 4711")
    connection.close()
    done = run(workspace, "sessions", "list")
    assert done.returncode == 1
    assert "4711" in done.stderr
    assert "upgrade picklebot" in done.stderr
