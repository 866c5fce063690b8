"""Tools in a turn: parallel, journalled, settled by their effect class after a crash."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.events import ToolFinished, ToolStarted
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.messages import Message, ToolResult
from picklebot.core.replies import ModelReply
from picklebot.core.source import Source
from picklebot.store.base import Turn
from picklebot.store.sqlite import SqliteStore
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon, Stored
from tests.store.conftest import arrival

MINE = '''
import asyncio
from pathlib import Path
from picklebot.errors import ToolError
from picklebot.tools.base import Effect, ToolContext
from picklebot.tools.function import tool

LEDGER = Path(__file__).parent / "ledger"

def note(line):
    with LEDGER.open("a") as file:
        file.write(line + "\\n")

@tool(effect=Effect.PURE)
async def look(what: str) -> str:
    """Look at something."""
    note(f"look {what}")
    return f"seen {what}"

@tool
async def pay(amount: int, context: ToolContext) -> str:
    """Pay, once."""
    note(f"pay {amount}")
    return "paid"

@tool(effect=Effect.KEYED)
async def post(text: str, context: ToolContext) -> str:
    """Post with a key."""
    note(f"post {text} {context.key}")
    return "posted"

@tool
async def refuse() -> str:
    """Always say no."""
    raise ToolError("the door is locked")

@tool
async def crash() -> str:
    """Always break."""
    raise ZeroDivisionError("oh")

BARRIER = asyncio.Barrier(3)

@tool(effect=Effect.PURE)
async def meet() -> str:
    """Return once three meet."""
    async with asyncio.timeout(5):
        await BARRIER.wait()
    return "met"
'''


@pytest.fixture(autouse=True)
def mine(workspace: Path) -> Path:
    """The user's own tools, and the file in which they leave their traces."""
    (workspace / "tools").mkdir()
    (workspace / "tools" / "mine.py").write_text(MINE)
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {local: true}\n")
    return workspace / "tools" / "ledger"


def call(name: str, n: int = 1, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"c{n}", "name": name, "input": given}


def results_in(model: ScriptedModel) -> list[tuple[str, bool]]:
    return [(block["content"], block.get("is_error", False)) for block in model.requests[-1].messages[-1].blocks]


async def test_a_result_goes_back_to_the_model(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel(Message("assistant", (call("look", what="door"),)), "it is a door")
    async with daemon(model, channel) as app:
        with app.bus.subscribe(ToolStarted, ToolFinished) as seen:
            await channel.say("x")
            assert await channel.heard() == ("ann", "it is a door")
            started, finished = await anext(seen), await anext(seen)
    assert results_in(model) == [("seen door", False)]
    assert isinstance(started, ToolStarted)
    assert isinstance(finished, ToolFinished)
    assert (started.summary, finished.summary) == ("what='door'", "seen door")


async def test_calls_of_one_reply_run_side_by_side(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel(Message("assistant", tuple(call("meet", n) for n in range(3))), "all met")
    async with daemon(model, channel):
        await channel.say("x")
        assert await channel.heard() == ("ann", "all met")
    assert results_in(model) == [("met", False)] * 3


@pytest.mark.parametrize(
    ("name", "words"),
    [("refuse", "the door is locked"), ("crash", "ZeroDivisionError: oh"), ("nothing", "there is no tool 'nothing'")],
)
async def test_trouble_is_told_to_the_model(daemon: Daemon, channel: FakeChannel, name: str, words: str) -> None:
    model = ScriptedModel(Message("assistant", (call(name),)), "so be it")
    async with daemon(model, channel):
        await channel.say("x")
        assert await channel.heard() == ("ann", "so be it")
    ((content, is_error),) = results_in(model)
    assert is_error
    assert words in content


async def test_wrong_input_is_told_to_the_model_and_nothing_runs(
    daemon: Daemon, channel: FakeChannel, mine: Path
) -> None:
    model = ScriptedModel(Message("assistant", (call("pay", amount="much"),)), "so be it")
    async with daemon(model, channel):
        await channel.say("x")
        await channel.heard()
    assert "amount" in results_in(model)[0][0]
    assert not mine.exists()


@pytest.mark.parametrize(
    ("tools", "denied", "offered"),
    [
        ("[look, pay]", "pay", ["look", "read_result"]),  # what look has shown can be seen again where it was cut short
        ("[look]", "read_result", ["look"]),
        ("[]", "pay", []),
    ],
)
async def test_an_agent_sees_only_the_tools_it_may_use(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None], tools: str, denied: str, offered: list[str]
) -> None:
    agent("echo", tools=tools, disallowed_tools=denied)
    model = ScriptedModel("a")
    async with daemon(model, channel):
        await channel.say("x")
        await channel.heard()
    assert [tool.name for tool in model.requests[0].tools] == offered


async def test_tools_are_offered_in_the_order_of_their_names(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel("a")
    async with daemon(model, channel):
        await channel.say("x")
        await channel.heard()
    names = [tool.name for tool in model.requests[0].tools]
    assert names == sorted(names)
    assert {"bash", "read_file", "save_memory", "look"} <= set(names)


async def test_the_same_call_over_and_over_is_warned_about_and_then_stopped(
    daemon: Daemon, channel: FakeChannel
) -> None:
    again = [Message("assistant", (call("look", what="door"),)) for _ in range(9)]
    model = ScriptedModel(*again)
    async with daemon(model, channel):
        await channel.say("x")
        assert await channel.heard() == ("ann", "I stopped: the model made the same call 5 times running.")
    assert len(model.requests) == 5
    assert "3 times running" in model.requests[3].messages[-1].text


async def test_steps_come_to_an_end(daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]) -> None:
    agent("echo", budget="{turn_steps: 3}")
    model = ScriptedModel(*(Message("assistant", (call("look", what=str(n)),)) for n in range(9)))
    async with daemon(model, channel):
        await channel.say("x")
        assert await channel.heard() == ("ann", "I stopped: it took more than 3 steps.")
    assert len(model.requests) == 3


async def test_seconds_come_to_an_end(daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]) -> None:
    agent("echo", budget="{turn_seconds: 0.2}")

    async def never(request: object) -> str:
        await asyncio.Event().wait()
        return ""

    async with daemon(ScriptedModel(never), channel):
        await channel.say("x")
        assert "it took longer than" in (await channel.heard())[1]


async def interrupted(store: SqliteStore, name: str, state: str, **given: Any) -> Turn:
    """Leave a turn in the store as a crash would: its first step recorded, its call in `state`."""
    accepted = await store.inbox.accept(arrival("x", source=Source("fake", ("ann",))), limit=9)
    turn = await store.inbox.begin(accepted.event.session_id, accepted.event.created_at)
    assert turn is not None
    reply = ModelReply(message=Message("assistant", (call(name, **given),)), stop_reason="tool_use", model="m")
    planned = PlannedCall(call_id="c1", tool=name, effect="-", input=given)
    at = accepted.event.created_at + timedelta(seconds=1)
    await store.turns.record_step(
        turn, RecordedStep(n=0, reply=reply, cost_usd=None), [planned], opening=Message.user("x"), at=at
    )
    if state == "started":
        await store.turns.start_call(turn, 0, "c1", at=at)
    return turn


@pytest.mark.parametrize(
    ("name", "state", "given", "told", "traces"),
    [
        ("look", "planned", {"what": "door"}, "seen door", ["look door"]),
        ("pay", "planned", {"amount": 5}, "paid", ["pay 5"]),
        ("pay", "started", {"amount": 5}, "UNKNOWN", []),
        ("post", "started", {"text": "hi"}, "posted", ["post hi {key}"]),
    ],
)
async def test_a_call_that_a_crash_cut_short_is_settled_by_its_effect_class(
    daemon: Daemon,
    channel: FakeChannel,
    stored: Stored,
    mine: Path,
    name: str,
    state: str,
    given: Any,
    told: str,
    traces: list[str],
) -> None:
    async with stored() as store:
        turn = await interrupted(store, name, state, **given)
    model = ScriptedModel("done after the crash")
    async with daemon(model, channel):
        assert await channel.heard() == ("ann", "done after the crash")
    ((content, is_error),) = results_in(model)
    assert told in content
    assert is_error == (told == "UNKNOWN")
    left = mine.read_text().splitlines() if mine.exists() else []
    assert left == [trace.format(key=f"{turn.id}:0:c1") for trace in traces]


async def test_a_recorded_result_is_used_and_its_tool_not_run_again(
    daemon: Daemon, channel: FakeChannel, stored: Stored, mine: Path
) -> None:
    async with stored() as store:
        turn = await interrupted(store, "pay", "started", amount=5)
        await store.turns.record_result(
            turn, 0, ToolResult("c1", "paid before"), state="done", at=turn.event.created_at
        )
    model = ScriptedModel("done")
    async with daemon(model, channel):
        await channel.heard()
    assert results_in(model) == [("paid before", False)]
    assert not mine.exists()


async def test_memory_tools_and_file_tools_work_in_the_workspace(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    (workspace / "hello.txt").write_text("hello from a file")
    calls = (
        call("read_file", 1, path="hello.txt"),
        call("bash", 2, command="echo $((6*7))"),
        call("save_memory", 3, topic="identity", content="Her name is Ann."),
    )
    model = ScriptedModel(Message("assistant", calls), "done")
    channel.name = "cli"  # what anybody else says to keep is kept apart
    async with daemon(model, channel):
        await channel.say("x")
        await channel.heard()
    told = [content for content, _ in results_in(model)]
    assert told[0] == "hello from a file"
    assert told[1].startswith("42")
    assert "Her name is Ann." in (workspace / "memories/topics/identity.md").read_text()


async def test_a_model_that_uses_its_call_ids_again_does_not_spoil_the_conversation(
    daemon: Daemon, channel: FakeChannel
) -> None:
    again = [Message("assistant", (call("look", what=word),)) for word in ("door", "wall", "roof")]
    model = ScriptedModel(again[0], again[1], "one", again[2], "two")
    async with daemon(model, channel):
        await channel.say("x")
        await channel.heard()
        await channel.say("y")
        await channel.heard()
    asked = [c.id for message in model.requests[-1].messages for c in message.calls()]
    answered = [b["tool_use_id"] for m in model.requests[-1].messages for b in m.blocks if b["type"] == "tool_result"]
    assert len(set(asked)) == 3
    assert asked == answered
