"""`picklebot sessions replay` and `fork`: a session is a fold over what was recorded of it."""

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.events import ToolFinished, ToolStarted
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply
from picklebot.errors import ModelRejected
from picklebot.models.base import ModelRequest
from picklebot.store.sqlite import open_store
from picklebot.testing import FakeChannel, ScriptedModel
from tests.cli.inside import command, document
from tests.cli.running import database, run, run_json
from tests.flow.conftest import Daemon

MINE = '''
import asyncio
from picklebot.errors import ToolError
from picklebot.tools.base import Effect
from picklebot.tools.function import tool

@tool(effect=Effect.PURE)
async def look(what: str) -> str:
    """Look at something."""
    return f"seen {what}"

@tool
async def refuse() -> str:
    """Always say no."""
    raise ToolError("the door is locked")

@tool
async def sleep() -> str:
    """Never end."""
    await asyncio.Event().wait()
'''


@pytest.fixture(autouse=True)
def mine(workspace: Path) -> None:
    (workspace / "tools").mkdir()
    (workspace / "tools" / "mine.py").write_text(MINE)
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {local: true}\n")


def call(name: str, n: int = 1, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"c{n}", "name": name, "input": given}


def asks(*calls: dict[str, Any]) -> Message:
    return Message("assistant", calls)


class Hanging:
    """A model's answer that never comes."""

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    async def __call__(self, request: ModelRequest) -> str:
        self.asked.set()
        await asyncio.Event().wait()
        return "never"


async def stop(channel: FakeChannel) -> None:
    await channel.say("/stop")
    assert {(await channel.heard())[1] for _ in range(2)} == {"Stopping.", "Stopped."}


async def converse(daemon: Daemon, channel: FakeChannel) -> str:
    """Hold a conversation in which turns end in every way there is; return its session."""
    hanging = Hanging()
    thought = {"type": "thinking", "thinking": "hm", "signature": "sig=="}
    said = [
        Message("assistant", (thought, call("look", 1, what="door"), call("refuse", 2), call("nothing", 3))),
        asks(call("look", 1)),  # an input that is no good
        "a closed door",
        Message("assistant", ()),  # silence, and a nudge
        "here I am",
        asks(call("look", 1, what="window")),
        ModelRejected("the key was refused"),
        *[asks(call("look", n, what="wall")) for n in range(5)],  # a loop
        asks(call("look", 1, what="clock"), call("sleep", 2)),  # stopped in a tool, the other one done
        hanging,  # stopped while it thinks
        ModelReply(message=asks(call("look", 1, what="x")), stop_reason="max_tokens"),
        "done",
        lambda request: 1 // 0,  # a bug
    ]
    async with daemon(ScriptedModel(*said), channel) as app:  # type: ignore[arg-type]  # a line that raises has no type
        for text in ("look", "silent?", "again", "loop"):
            verdict = await channel.say_and_settle(text)
            await channel.heard()
        with app.bus.subscribe(ToolStarted, ToolFinished) as seen:
            await channel.say("tools")
            for _ in ("look begins", "sleep begins", "look ends"):
                await anext(seen)
        await stop(channel)
        await channel.say("think")
        await hanging.asked.wait()
        await stop(channel)
        for text in ("cut", "bug"):
            await channel.say(text)
            await channel.heard()
    return verdict.session_id


async def test_a_session_in_which_turns_end_in_every_way_replays_identical(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    session = await converse(daemon, channel)
    done = await command(workspace, "sessions", "replay", session, "--json")
    verdict = json.loads(done.stdout)
    assert (done.returncode, verdict["identical"], verdict["difference"]) == (0, True, None)
    assert (verdict["turns"], verdict["skipped"]) == (8, [])
    told = await asyncio.to_thread(run, workspace, "sessions", "replay", session)
    assert "is identical: 8 turns" in told.stdout


async def test_a_turn_whose_time_is_up_while_a_step_is_written_down_replays_identical(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("limits: {turn_seconds: 0.1}\n")

    def held_up(request: ModelRequest) -> Message:
        other = sqlite3.connect(database(workspace))
        other.execute("BEGIN IMMEDIATE")
        asyncio.get_running_loop().call_later(0.2, other.close)
        return asks(call("look", what="door"))

    async with daemon(ScriptedModel(held_up), channel):
        accepted = await channel.say_and_settle("look")
        assert "it took longer than" in (await channel.heard())[1]
    replayed = await document(workspace, "sessions", "replay", accepted.session_id)
    assert (replayed["identical"], replayed["turns"], replayed["messages"]) == (True, 1, 4), replayed


@pytest.mark.parametrize(
    ("change", "what", "recorded", "played"),
    [
        (
            "UPDATE transcript SET blocks = replace(blocks, 'seen door', 'seen ghost')",
            "block",
            "seen ghost",
            "seen door",
        ),
        ("UPDATE calls SET result = replace(result, 'seen door', 'seen ghost')", "block", "seen door", "seen ghost"),
        ("DELETE FROM transcript WHERE n = (SELECT max(n) FROM transcript)", "messages", 3, 4),
        ("UPDATE turns SET state = 'stopped'", "outcome", "stopped", "done"),
    ],
    ids=["transcript", "result", "missing", "outcome"],
)
async def test_a_session_that_comes_out_differently_is_shown_with_its_first_difference(
    daemon: Daemon, channel: FakeChannel, workspace: Path, change: str, what: str, recorded: object, played: object
) -> None:
    async with daemon(ScriptedModel(asks(call("look", what="door")), "a door"), channel):
        verdict = await channel.say_and_settle("look")
        await channel.heard()
    tamper(workspace, change)
    done = await command(workspace, "sessions", "replay", verdict.session_id, "--json")
    found = json.loads(done.stdout)
    assert (done.returncode, found["identical"]) == (1, False)
    difference = found["difference"]
    assert (difference["event_id"], difference["what"]) == (verdict.event_id, what)
    if what == "block":
        assert (difference["message"], difference["block"]) == (3, 1)
        assert (difference["recorded"]["content"], difference["played"]["content"]) == (recorded, played)
    else:
        assert (difference["recorded"], difference["played"]) == (recorded, played)


def tamper(workspace: Path, change: str) -> None:
    with closing(sqlite3.connect(database(workspace))) as connection, connection:
        connection.execute(change)


async def test_a_replay_beside_what_is_not_finished_says_what_it_skipped(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    hanging = Hanging()
    async with daemon(ScriptedModel("one", hanging), channel, grace=0.01):
        first = await channel.say_and_settle("first")
        await channel.heard()
        second = await channel.say_and_settle("second")
        await hanging.asked.wait()
    verdict = await document(workspace, "sessions", "replay", first.session_id)
    assert verdict["turns"] == 1
    assert verdict["skipped"] == [{"event_id": second.event_id, "reason": "it has not ended"}]


@pytest.fixture
async def looked(daemon: Daemon, channel: FakeChannel) -> str:
    """A session of two turns and four steps."""
    model = ScriptedModel(asks(call("look", what="door")), asks(call("look", what="lock")), "a locked door", "bye")
    async with daemon(model, channel):
        session = (await channel.say_and_settle("look")).session_id
        await channel.heard()
        await channel.say("thanks")
        await channel.heard()
    return session


async def transcript(workspace: Path, session: str) -> list[Message]:
    async with open_store(database(workspace)) as store:
        return await store.sessions.transcript(session)


async def test_a_fork_keeps_what_was_said_up_to_its_step_and_leaves_the_original(looked: str, workspace: Path) -> None:
    original = await transcript(workspace, looked)
    for at, kept, closed in ((1, 3, True), (2, 5, True), (3, 6, False), (4, 8, False)):
        forked = await command(workspace, "sessions", "fork", looked, "--at", str(at))
        assert forked.returncode == 0, forked.stderr
        copy = await transcript(workspace, forked.stdout.strip())
        assert copy[:kept] == original[:kept]
        assert len(copy) == kept + closed
        assert copy[-1].role == "assistant", "the next message goes on"
    assert await transcript(workspace, looked) == original


async def test_a_fork_is_the_terminals_current_session_and_goes_on(looked: str, workspace: Path) -> None:
    made = (await command(workspace, "sessions", "fork", looked)).stdout.strip()
    answer = await asyncio.to_thread(run_json, workspace, "ask", "--json", "what is 12*7")
    assert (answer["session_id"], answer["agent"]) == (made, "echo")
    assert len(await transcript(workspace, made)) == 10
    replayed = await document(workspace, "sessions", "replay", made)
    assert (replayed["identical"], replayed["turns"]) == (True, 1)


async def test_a_fork_takes_along_the_steps_of_a_turn_that_never_ended(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    hanging = Hanging()
    async with daemon(ScriptedModel(asks(call("look", what="door")), hanging), channel, grace=0.01):
        session = (await channel.say_and_settle("look")).session_id
        await hanging.asked.wait()
    made = await command(workspace, "sessions", "fork", session)
    copy = await transcript(workspace, made.stdout.strip())
    assert [message.role for message in copy] == ["user", "assistant", "user", "assistant"]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("--at", "9"), 1, "the agent has taken 4 steps"),
        (("--at", "0"), 2, "greater than or equal to 1"),
    ],
)
async def test_a_step_that_there_is_not_is_refused(
    looked: str, workspace: Path, arguments: tuple[str, ...], code: int, words: str
) -> None:
    done = await command(workspace, "sessions", "fork", looked, *arguments)
    assert (done.returncode, done.stdout) == (code, "")
    assert words in done.stderr


async def test_a_fork_waits_for_the_daemon_to_leave(
    daemon: Daemon, channel: FakeChannel, workspace: Path, looked: str
) -> None:
    async with daemon(ScriptedModel(), channel):
        done = await command(workspace, "sessions", "fork", looked)
    assert (done.returncode, done.stdout) == (75, "")
    assert "already runs in this workspace" in done.stderr
