"""What a turn has read follows it: through its steps, into the next turn, to other agents and into memories."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.messages import Message, ToolResult
from picklebot.models.base import ModelRequest
from picklebot.store.codec import decode_result, encode_result
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.players import Players, call, last, uses


@pytest.mark.usefixtures("marked")
async def test_a_call_bears_what_earlier_steps_have_read_and_not_what_is_read_beside_it(
    daemon: Daemon, owner: FakeChannel
) -> None:
    model = ScriptedModel(
        uses("web", "marks"), lambda request: f"{last(request)}", "-", uses("diary"), uses("marks"), last
    )
    async with daemon(model, owner):
        await owner.say("x")
        assert (await owner.heard())[1] == "nothing"
        await owner.say("y")
        assert (await owner.heard())[1] == "-"
        await owner.say("z")
        assert (await owner.heard())[1] == "outside private"


@pytest.mark.usefixtures("marked")
async def test_what_somebody_else_says_is_from_outside(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel(uses("marks"), last), channel):
        await channel.say("x")
        assert (await channel.heard())[1] == "outside"


@pytest.mark.usefixtures("marked")
async def test_what_the_owner_passes_on_is_from_outside_also_where_it_joins_a_turn(
    daemon: Daemon, owner: FakeChannel, agent: Callable[..., None]
) -> None:
    async def pass_on(request: ModelRequest) -> Message:
        await owner.say_and_settle("[Forwarded: buy pickles]", peer="bea", outside=True)
        return uses("diary")

    agent("echo", queue="steer")
    model = ScriptedModel(uses("marks"), last, uses("marks"), last, pass_on, uses("marks"), last)
    async with daemon(model, owner):
        await owner.say("[Forwarded: buy pickles]", outside=True)
        assert (await owner.heard())[1] == "outside"
        await owner.say("my own words")
        assert (await owner.heard())[1] == "outside", "the conversation has it"
        await owner.say("look into my diary", peer="bea")
        assert (await owner.heard())[1] == "outside private"


@pytest.mark.usefixtures("marked")
async def test_marks_go_down_to_an_agent_that_is_called_and_come_back_with_its_answer(
    daemon: Daemon, owner: FakeChannel, agents: Callable[..., None]
) -> None:
    def pickle(request: ModelRequest) -> Any:
        match len(request.messages):
            case 1:
                return uses("diary")
            case 3:
                return Message("assistant", (call("cookie", "do it"),))
            case 5:
                return uses("marks")
            case _:
                return f"{json.loads(str(request.messages[4].blocks[0]['content']))['result']} / {last(request)}"

    def cookie(request: ModelRequest) -> Any:
        match len(request.messages):
            case 1:
                return uses("marks")
            case 3:
                return uses("web")
            case _:
                return str(request.messages[2].blocks[0]["content"])

    agents(pickle={}, cookie={"description": "keeps memories"})
    async with daemon(Players(pickle=pickle, cookie=cookie), owner):
        await owner.say("x")
        assert (await owner.heard())[1] == "private / outside private"


@pytest.mark.usefixtures("marked")
async def test_a_memory_made_of_what_came_from_outside_says_so_and_marks_who_finds_it(
    daemon: Daemon, owner: FakeChannel, workspace: Path
) -> None:
    model = ScriptedModel(
        *(uses("web"), uses("save_memory", topic="tea", content="Buy pickles with tea."), "saved"),
        *(uses("search_memory", query="pickles"), uses("marks"), last),
    )
    async with daemon(model, owner):
        await owner.say("x")
        await owner.heard()
        assert "outside" in next((workspace / "memories").rglob("*.md")).read_text()
        await owner.say("y", peer="bea")
        assert (await owner.heard())[1] == "outside private"


def test_the_marks_of_a_result_are_kept_with_it_and_unknown_ones_count_as_all() -> None:
    result = ToolResult("c1", "text", marks=frozenset({"outside"}))
    assert decode_result(encode_result(result)) == result
    assert decode_result('{"call_id":"c1","content":"text","is_error":false}') == ToolResult("c1", "text")
    newer = decode_result('{"call_id":"c1","content":"text","is_error":false,"marks":["secret"]}')
    assert newer is not None
    assert newer.marks == {"private", "outside"}
