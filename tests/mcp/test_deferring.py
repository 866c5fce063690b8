"""Many tools of servers: a model is given names, looks one up, and calls it as that tool; the prompt stays as it is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from picklebot.core.messages import Message, ToolCall
from picklebot.testing import FakeChannel, ScriptedModel
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.deferring import NAMED, create_deferring_tools, deferred
from tests.flow.conftest import Daemon
from tests.flow.conftest import channel as channel
from tests.flow.conftest import clock as clock
from tests.flow.conftest import configure as configure
from tests.flow.conftest import daemon as daemon


def use(tool: str, **given: object) -> Message:
    return Message("assistant", ({"type": "tool_use", "id": f"{tool}1", "name": tool, "input": given},))


def told(model: ScriptedModel, step: int) -> str:
    return str(model.requests[step].messages[-1].blocks[0]["content"])


async def test_a_tool_is_looked_up_and_called_while_the_prompt_stays_as_it_is(
    planted: Callable[..., None], daemon: Daemon, channel: FakeChannel, workspace: Path, garden: Path
) -> None:
    planted()
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {defer_above: 3}\napprovals: {mcp__garden__note: deny}\n")
    model = ScriptedModel(
        use("search_tools", query="give water to a bed", limit=1),
        use("call_tool", name="mcp__garden__water", input={"bed": "lawn"}),
        use("call_tool", name="mcp__garden__note", input={"path": "x"}),
        "done",
    )
    async with daemon(model, channel) as app:
        await channel.say("go")
        assert (await channel.heard())[1] == "done"
        [session] = await app.store.sessions.recent(limit=1)
        turns = await app.store.reports.turns(session.id)
    first = {tool.name: tool for tool in model.requests[0].tools}
    assert [name for name in first if name.startswith("mcp__")] == []
    assert "mcp__garden__look, mcp__garden__peek" in first["search_tools"].description
    assert "mcp__garden__note" not in first["search_tools"].description, "it is denied"
    assert all(request.tools == model.requests[0].tools for request in model.requests)
    assert all(request.system == model.requests[0].system for request in model.requests)
    assert told(model, 1).startswith("mcp__garden__water\nWater a bed.\ninput: {")
    assert told(model, 2) == "wet"
    assert "there is no tool 'mcp__garden__note'; search_tools finds those" in told(model, 3)
    assert (garden / "ledger").read_text() == "lawn\n"
    [turn] = turns
    assert [(call.tool, call.effect) for step in turn.steps for call in step.calls][:2] == [
        ("search_tools", "pure"),
        ("mcp__garden__water", "once"),
    ], "it is recorded as what it is"


def many(count: int) -> Mapping[str, Tool]:
    async def run(context: ToolContext, given: Mapping[str, Any]) -> str:
        return "ran"

    tools = [
        Tool(name=f"mcp__big__tool_{n}", description=f"Number {n}.", input_schema={}, run=run) for n in range(count)
    ]
    return {tool.name: tool for tool in tools}


def test_few_tools_are_described_as_ever_and_names_have_a_bound() -> None:
    few, lots = many(3), many(2_000)
    assert deferred(few, above=3).shown is few
    assert set(deferred(lots, above=3).shown) == {"search_tools", "call_tool"}
    [search, _] = create_deferring_tools(lots)
    assert len(search.description) < NAMED + 500
    named = search.description.count("mcp__big__tool_")
    assert search.description.endswith(f"and {2_000 - named} more")


def test_what_is_no_call_of_a_tool_is_refused_in_words() -> None:
    kit = deferred(many(5), above=3)

    def meant(**given: object) -> ToolCall:
        return kit.meant(ToolCall("c", "call_tool", given))

    assert meant(name="mcp__big__tool_1", input='{"a": 1}') == ToolCall("c", "mcp__big__tool_1", {"a": 1})
    assert meant(name="mcp__big__tool_1") == ToolCall("c", "mcp__big__tool_1", {})
    assert meant(name="mcp__big__tool_1", input="{").problem == "`input` is no JSON object"
    assert "is an object" in str(meant(name="mcp__big__tool_1", input=[1]).problem)
    for wrong in ("call_tool", "nothing", None):
        assert "search_tools finds those" in str(meant(name=wrong, input={}).problem)
    assert kit.every["call_tool"].effect is Effect.ONCE
