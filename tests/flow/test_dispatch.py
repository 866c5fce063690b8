"""Agents that call one another: the whole daemon, and a model that plays every agent by its prompt."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.core.events import DispatchEvent, DispatchResultEvent
from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel
from tests.flow.conftest import Daemon
from tests.flow.players import Line, Players, asks, call, looking, results_of, says


async def test_an_agent_gives_a_task_to_another_and_answers_with_its_answer(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={"description": "keeps memories"})
    model = Players(pickle=asks("cookie", "what is known of tea?"), cookie=says("it is green"))
    async with daemon(model, channel) as app:
        await channel.say("tea?")
        _, reply = await channel.heard()
        log = [event for _, event in await app.store.log.after(0)]
        counts = await app.store.ledger.counts()
    given = json.loads(reply)
    assert given["result"] == "it is green"
    [task] = [event for event in log if isinstance(event, DispatchEvent)]
    [result] = [event for event in log if isinstance(event, DispatchResultEvent)]
    assert task.session_id == given["session_id"]
    assert (str(task.source), task.agent_id, task.content) == ("agent:pickle", "cookie", "what is known of tea?")
    assert (task.cause_id, result.cause_id) == (log[0].id, task.id)
    assert task.parent_session_id == log[0].session_id
    assert (counts.accepted, counts.done, counts.open) == (2, 2, 0)
    [request] = model.requests["cookie"]
    assert "what is known of tea?" in request.messages[-1].text
    assert "agent:pickle" in request.messages[-1].text


async def test_the_tool_names_whom_an_agent_may_call_and_is_kept_from_who_may_call_nobody(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={"dispatch": "[cookie]"}, cookie={"description": "keeps memories", "dispatch": "[]"}, scout={})
    model = Players(pickle=says("a"), cookie=says("b"), scout=says("c"))
    async with daemon(model, channel):
        for name in ("pickle", "cookie", "scout"):
            await channel.say("hi", peer=name, agent=name)
            await channel.heard()
    described = {
        name: {tool.name: tool.description for tool in requests[0].tools}.get("subagent_dispatch", "")
        for name, requests in model.requests.items()
    }
    assert "- cookie: keeps memories" in described["pickle"]
    assert "scout" not in described["pickle"]
    assert described["cookie"] == ""
    assert "- pickle" in described["scout"]


@pytest.mark.parametrize(
    ("called", "words"),
    [
        ("scout", "pickle may not call 'scout'; you may call: cookie"),
        ("cooky", "there is no agent 'cooky'; did you mean 'cookie'?"),
        ("pickle", "pickle waits for this answer itself (pickle -> pickle)"),
    ],
)
async def test_a_call_that_may_not_be_made_is_refused_in_words(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], called: str, words: str
) -> None:
    agents(pickle={"dispatch": "[cookie]"}, cookie={}, scout={})
    async with daemon(Players(pickle=asks(called)), channel) as app:
        await channel.say("x")
        assert words in (await channel.heard())[1]
        assert (await app.store.ledger.counts()).accepted == 1


async def test_agents_call_one_another_so_deep_and_never_in_a_ring(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], workspace: Path
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("limits: {dispatch_depth: 2}\n")
    agents(pickle={}, b={}, c={}, d={})
    deep = Players(pickle=asks("b"), b=asks("c"), c=asks("d"), d=says("never"))
    async with daemon(deep, channel):
        await channel.say("x")
        assert "at most 2 deep (limits.dispatch_depth), and this is pickle -> b -> c" in (await channel.heard())[1]
    assert deep.requests["d"] == []
    ring = Players(pickle=asks("b"), b=asks("pickle"))
    async with daemon(ring, channel):
        await channel.say("x", peer="bob")
        assert "pickle waits for this answer itself (pickle -> b -> pickle)" in (await channel.heard())[1]


async def test_what_went_wrong_with_a_task_is_told_to_who_gave_it(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None]
) -> None:
    agents(pickle={}, cookie={"budget": "{turn_steps: 2}"})
    loops = Players(pickle=asks("cookie"), cookie=lambda request: looking(len(request.messages)))
    async with daemon(loops, channel) as app:
        await channel.say("x")
        assert "cookie did not finish" in (reply := (await channel.heard())[1])
        assert "more than 2 steps" in reply
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done, counts.failed, counts.open) == (2, 1, 1, 0)


async def test_fifty_callers_and_their_children_finish_in_one_slot(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], workspace: Path
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("limits: {max_concurrency: 1}\n")
    agents(pickle={"max_concurrency": 1}, cookie={"max_concurrency": 1})
    model = Players(pickle=asks("cookie"), cookie=says("crumbs"))
    async with daemon(model, channel) as app, asyncio.timeout(30):
        for number in range(50):
            await channel.say("x", peer=f"p{number}")
        heard = [await channel.heard() for _ in range(50)]
        counts = await app.store.ledger.counts()
    assert {peer for peer, _ in heard} == {f"p{number}" for number in range(50)}
    assert all(json.loads(reply)["result"] == "crumbs" for _, reply in heard)
    assert (counts.accepted, counts.done) == (100, 100)


async def test_several_tasks_in_one_step_run_side_by_side_with_other_calls(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], mine: Path
) -> None:
    agents(pickle={"max_concurrency": 1}, cookie={"max_concurrency": 2})
    both = asyncio.Barrier(2)

    async def meet(request: ModelRequest) -> str:
        async with asyncio.timeout(5):
            await both.wait()
        return "met"

    def ask_two(request: ModelRequest) -> Line:
        if results := results_of(request):
            return " & ".join(results)
        other = {"type": "tool_use", "id": "s", "name": "slow", "input": {}}
        return Message("assistant", (call("cookie", "1"), other, call("cookie", "2", "c2")))

    async with daemon(Players(pickle=ask_two, cookie=meet), channel):
        await channel.say("x")
        first, beside, second = (await channel.heard())[1].split(" & ")
    assert json.loads(first)["result"] == json.loads(second)["result"] == "met"
    assert beside == "slowly"


async def test_a_child_has_no_more_tools_steps_or_sandbox_than_its_parent(
    daemon: Daemon, channel: FakeChannel, agents: Callable[..., None], mine: Path
) -> None:
    agents(
        pickle={"tools": "[subagent_dispatch, read_file, write_file]", "sandbox": "read-only"},
        cookie={"tools": "[read_file, write_file, bash, pay]"},
    )
    model = Players(pickle=asks("cookie"), cookie=says("ok"))
    async with daemon(model, channel) as app:
        await channel.say("x")
        await channel.heard()
        [task] = [event for _, event in await app.store.log.after(0) if isinstance(event, DispatchEvent)]
    assert [tool.name for tool in model.requests["cookie"][0].tools] == ["read_file", "read_result"]
    assert task.rights.callers == ("pickle",)
    assert task.rights.sandbox == "read-only"
    assert task.rights.steps == 39, "one of the parent's forty is used"
    assert 800 < task.rights.seconds <= 900
