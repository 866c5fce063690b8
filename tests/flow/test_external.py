"""External agents: programs in a sandbox that speak through files, in turns like any other."""

import asyncio
import json
import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from shutil import copy

import pytest

from picklebot.app import App
from picklebot.core.events import DefinitionChanged, DispatchResultEvent, TurnFinished
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from picklebot.testing.clock import PATIENCE
from tests.flow.conftest import Daemon
from tests.flow.players import Players, asks
from tests.processes import running

ACTOR = Path(__file__).parent / "actor.py"
NOBODY = ScriptedModel()
SETTINGS = "default_agent: asker\nmodel: {provider: offline}\ngateway: {enabled: false}\n"
OURS = {"PICKLEBOT_AGENT", "PICKLEBOT_IPC", "PYTHONPATH"}


@pytest.fixture(autouse=True)
def actor(workspace: Path, agent: Callable[..., None]) -> None:
    """Let the default agent be a program."""
    agent("echo", runner="{command: [python, actor.py]}")
    copy(ACTOR, workspace / "agents" / "echo" / "actor.py")


def folder(workspace: Path) -> Path:
    """Return where the only conversation takes place."""
    [found] = (workspace / ".picklebot" / "ipc" / "echo").iterdir()
    return found


async def hears(channel: FakeChannel, *expected: str) -> None:
    assert [(await channel.heard())[1] for _ in expected] == [*expected]


async def transcript(app: App) -> list[str]:
    [session] = await app.store.sessions.recent()
    messages = await app.store.sessions.transcript(session.id)
    return [f"{message.role}: {message.text.rpartition('</context>')[2].strip()}" for message in messages]


async def passing(clock: FakeClock, done: Callable[[], bool]) -> None:
    """Let time pass until something has happened."""
    async with asyncio.timeout(PATIENCE):
        while not done():
            clock.advance(seconds=1)
            await asyncio.sleep(0.01)


async def test_a_program_holds_a_conversation_in_one_run_and_exits_when_asked(
    daemon: Daemon, channel: FakeChannel, workspace: Path, clock: FakeClock
) -> None:
    async with daemon(NOBODY, channel) as app:
        await channel.say("hello")
        await hears(channel, "heard hello from fake:ann")
        await channel.say("count")
        await hears(channel, "one moment", "the 2. message of this run")
        await channel.say("later")
        await hears(channel, "now", "and later")
        kept = await transcript(app)
        counts = await app.store.ledger.counts()
    assert kept == [
        "user: hello",
        "assistant: heard hello from fake:ann",
        "user: count",
        "assistant: one moment\n\nthe 2. message of this run",
        "user: later",
        "assistant: now",
    ]
    assert (counts.accepted, counts.done, counts.open) == (3, 3, 0)
    assert (folder(workspace) / "closed").exists()
    assert not [*(folder(workspace) / "ipc").glob("*/*")]


async def test_an_agent_that_never_says_when_it_is_done_is_done_when_it_is_silent(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    async with daemon(NOBODY, channel) as app:
        with app.bus.subscribe(TurnFinished) as ends:
            await channel.say("plain")
            await hears(channel, "first", "second")
            ended = asyncio.create_task(anext(ends), name="the end of the turn")
            await passing(clock, ended.done)
        assert ended.result().outcome == "done"
        assert await transcript(app) == ["user: plain", "assistant: first\n\nsecond"]
    assert channel.silent


async def test_a_follow_up_is_delivered_while_the_turn_runs_and_answered_once(
    daemon: Daemon, channel: FakeChannel
) -> None:
    async with daemon(NOBODY, channel) as app:
        await channel.say("together bread")
        await hears(channel, "go on")
        await channel.say("butter")
        await hears(channel, "bread and butter")
        # One that the agent has not read is answered by itself, after the answer to the first.
        await channel.say("apart salt")
        await hears(channel, "go on")
        await channel.say("pepper")
        await hears(channel, "salt", "heard pepper from fake:ann")
        assert (await transcript(app))[-4:] == [
            "user: apart salt",
            "assistant: go on\n\nsalt",
            "user: pepper",
            "assistant: heard pepper from fake:ann",
        ]
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done) == (4, 4)


async def test_what_is_no_message_is_put_aside_with_the_reason_and_read_nowhere(
    daemon: Daemon, channel: FakeChannel, workspace: Path, tmp_path: Path
) -> None:
    outside = tmp_path / "outside"
    outside.write_text(json.dumps({"content": "a secret", "final": True}))
    async with daemon(NOBODY, channel):
        await channel.say(f"spoil {outside}")
        await hears(channel, "spoilt")
        bad = folder(workspace) / "ipc" / "bad"
        reasons = {path.name.removesuffix(".reason.txt"): path.read_text() for path in bad.glob("*.reason.txt")}
    assert {name: reason.partition(":")[0].strip() for name, reason in reasons.items()} == {
        "1-1.json": "it is not valid JSON",
        "1-2.json": "content",
        "1-3.json": "it has more than 1,000,000 bytes",
        "1-4.json": "final",
        "reply.json": "its name is not <time_ns>-<n>.json; a draft's begins with a dot or ends otherwise",
        "1-5.json": "channel",
        **dict.fromkeys(
            ("1-6.json", "1-7.json", "1-8.json", "1-9.json"), "it is no ordinary file of its own, or may not be read"
        ),
    }
    assert channel.silent
    assert outside.exists()


@pytest.mark.parametrize("mode", ["bubblewrap", "landlock"])
async def test_a_program_sees_its_own_folder_and_none_of_the_secrets(
    daemon: Daemon, channel: FakeChannel, workspace: Path, monkeypatch: pytest.MonkeyPatch, mode: str
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write(f"sandbox: {{mode: {mode}}}\n")
    monkeypatch.setenv("SOME_API_KEY", "k-0123456789")
    (workspace / ".env").write_text("OTHER_API_KEY=k-9876543210\n")
    own = workspace / "agents" / "echo" / "actor.py"
    hidden = [workspace / ".env", workspace / "config.yaml", workspace / ".picklebot" / "picklebot.db", Path(__file__)]
    async with daemon(NOBODY, channel):
        await channel.say(f"look {' '.join(map(str, [own, *hidden]))}")
        found = json.loads((await channel.heard())[1])
    assert found["seen"] == [str(own)]
    assert set(found["names"]) <= {*["HOME", "LANG", "LC_ALL", "PATH", "PWD", "TERM", "TMPDIR", "TZ"], *OURS}
    assert not [value for value in found["values"] if "0123456789" in value or "9876543210" in value]


async def test_a_program_that_fails_is_told_of_and_started_again_for_the_next_message(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, agent: Callable[..., None]
) -> None:
    async with daemon(NOBODY, channel) as app:
        await channel.say("crash")
        await hears(channel, "I could not finish: its program ended with exit code 3: out of luck.")
        await channel.say("hello")
        reply = asyncio.create_task(channel.heard(), name="reply")
        await passing(clock, reply.done)
        assert reply.result() == ("ann", "heard hello from fake:ann")
        agent("echo", runner="{command: [nosuch]}")
        with app.bus.subscribe(DefinitionChanged) as changes:
            changed = asyncio.create_task(anext(changes), name="the change")
            await passing(clock, changed.done)
        await channel.say("hello", peer="bob")
        peer, text = await channel.heard()
    assert (peer, text.partition(" on the path")[0]) == (
        "bob",
        "I could not finish: runner.command: there is no program 'nosuch'",
    )


async def test_stop_ends_the_program_and_what_it_says_after_that_is_void(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    async with daemon(NOBODY, channel) as app:
        seconds = str(10 * os.getpid() + 5)  # as nobody else on this machine sleeps
        await channel.say(f"hang {seconds}")
        await hears(channel, "hanging")
        assert running("sleep", seconds)
        (folder(workspace) / "ipc" / "messages" / ".draft").write_text('{"content": "too late"}')
        await channel.say("/stop")
        assert {(await channel.heard())[1] for _ in range(2)} >= {"Stopped."}
        await channel.say("count")
        await hears(channel, "one moment", "the 1. message of this run")
        assert not running("sleep", seconds)
        assert "assistant: hanging\n\n[Stopped.]" in await transcript(app)


async def test_a_restart_hands_over_again_what_was_not_answered_and_delivers_nothing_twice(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    async with daemon(NOBODY, channel, grace=0.05):
        await channel.say("together a")
        await hears(channel, "go on")
        messages = folder(workspace) / "ipc" / "messages"
    async with daemon(NOBODY, channel, grace=0.05):
        await hears(channel, "go on")
    # As a crash would leave it: what was said and is kept, and what was said and is not.
    with closing(sqlite3.connect(workspace / ".picklebot" / "picklebot.db")) as database:
        names = database.execute("SELECT request_id FROM steps").fetchall()
    for (name,) in names:
        (messages / name).write_text(json.dumps({"content": "go on", "final": False}))
    (messages / "99-1.json").write_text(json.dumps({"content": "done", "final": True}))
    async with daemon(NOBODY, channel):
        await hears(channel, "done")
        await channel.say("count")
        await hears(channel, "one moment", "the 1. message of this run")
    assert not [*messages.iterdir()]
    assert channel.silent


async def test_another_agent_gets_all_that_was_said_as_the_result_of_its_task(
    daemon: Daemon, channel: FakeChannel, workspace: Path, agent: Callable[..., None]
) -> None:
    agent("asker", "You are asker.", tools="[subagent_dispatch]")
    (workspace / "config.yaml").write_text(SETTINGS)
    model = Players(asker=asks("echo", "count"))
    async with daemon(model, channel) as app:
        await channel.say("go")
        given = json.loads((await channel.heard())[1])
        [result] = [event for _, event in await app.store.log.after(0) if isinstance(event, DispatchResultEvent)]
        await channel.say("/usage")
        _, usage = await channel.heard()
    assert given["result"] == "one moment\n\nthe 1. message of this run"
    assert result.marks == {"outside"}
    assert "2 of the calls are messages of external agents, whose spend is not known" in usage
