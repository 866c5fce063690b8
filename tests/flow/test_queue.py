"""What becomes of messages that come while a turn runs: followup, collect, steer and interrupt."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

from picklebot.app import App
from picklebot.channels.base import Accepted
from picklebot.core.events import ToolStarted, TurnFinished
from picklebot.errors import QueueFull
from picklebot.testing import FakeChannel, ScriptedModel
from tests.cli.inside import document
from tests.flow.conftest import Daemon
from tests.flow.queueing import TOOLS, Held, call, said

Talk: TypeAlias = Callable[[str, ScriptedModel, "Held"], AbstractAsyncContextManager[App]]


@pytest.fixture(autouse=True)
def tools(workspace: Path) -> None:
    (workspace / "tools").mkdir()
    (workspace / "tools" / "mine.py").write_text(TOOLS)
    with (workspace / "config.yaml").open("a") as file:
        file.write("tools: {local: true}\n")


@pytest.fixture
def talk(daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]) -> Talk:
    """Return a way to have the agent's queue in some mode, and its turn for Ann's "one" held by its model."""

    @asynccontextmanager
    async def talking(queue: str, model: ScriptedModel, held: Held) -> AsyncGenerator[App, None]:
        agent("echo", queue=queue)
        async with daemon(model, channel) as app:
            await channel.say("one", key="one")
            await held.asked.wait()
            yield app

    return talking


def event_id(channel: FakeChannel, key: str) -> str:
    verdict = channel.verdicts[key]
    assert isinstance(verdict, Accepted)
    return verdict.event_id


async def answers(app: App, channel: FakeChannel, *keys: str) -> Sequence[list[str]]:
    """Return, for each message, what the store says it was answered with."""
    return [[reply.content for reply in await app.store.answers.replies_to(event_id(channel, key))] for key in keys]


async def test_by_default_each_message_has_a_turn_of_its_own(talk: Talk, channel: FakeChannel) -> None:
    held = Held("first")
    model = ScriptedModel(held, "second", "third")
    async with talk("followup", model, held):
        for words in ("two", "three"):
            await channel.say_and_settle(words)
        held.free.set()
        assert [(await channel.heard())[1] for _ in range(3)] == ["first", "second", "third"]
    assert said(model) == ["user: one", "assistant: first", "user: two", "assistant: second", "user: three"]


async def test_collect_answers_what_has_waited_in_one_turn(talk: Talk, channel: FakeChannel, workspace: Path) -> None:
    held = Held("first")
    model = ScriptedModel(held, "both")
    async with talk("collect", model, held) as app:
        for words in ("two", "three"):
            await channel.say_and_settle(words, key=words)
        held.free.set()
        assert [(await channel.heard())[1] for _ in range(2)] == ["first", "both"]
        assert await answers(app, channel, "one", "two", "three") == [["first"], ["both"], ["both"]]
        assert await app.store.answers.turn_of(event_id(channel, "three")) == event_id(channel, "two")
        counts = await app.store.ledger.counts()
        session = channel.verdicts["one"].session_id  # type: ignore[union-attr]
    assert (counts.accepted, counts.done, counts.open) == (3, 3, 0)
    assert said(model) == ["user: one", "assistant: first", "user: two + three"]
    assert model.requests[-1].messages[-1].blocks[2]["text"].startswith("<context>\nTime: ")
    assert (await document(workspace, "sessions", "replay", session))["identical"]
    why = await document(workspace, "why", event_id(channel, "three"))
    assert why["chain"]["turn"]["answered_in"] == event_id(channel, "two")


async def test_whoever_waits_for_a_message_that_was_collected_hears_its_reply_and_its_end(
    talk: Talk, channel: FakeChannel
) -> None:
    held = Held("first")
    async with talk("collect", ScriptedModel(held, "both"), held) as app:
        for words in ("two", "three"):
            await channel.say_and_settle(words, key=words)
        with app.bus.subscribe(TurnFinished) as ends:
            held.free.set()
            while not (end := await anext(ends)).ends(event_id(channel, "three")):
                pass
        assert end.cause_id == event_id(channel, "two")


async def test_a_collected_message_of_another_source_is_answered_where_it_came_from(
    talk: Talk, channel: FakeChannel
) -> None:
    held = Held("first")
    model = ScriptedModel(held, "all")
    async with talk("collect", model, held) as app:
        session = channel.verdicts["one"].session_id  # type: ignore[union-attr]
        await channel.say_and_settle("two", key="two")
        for words in ("three", "four"):
            await channel.say_and_settle(words, key=words, peer="bob", session=session)
        held.free.set()
        assert [await channel.heard() for _ in range(1)] == [("ann", "first")]
        assert {await channel.heard() for _ in range(2)} == {("ann", "all"), ("bob", "all")}
        assert await answers(app, channel, "two", "three", "four") == [["all"], ["all"], ["all"]]
    assert "Channel: fake:bob" in model.requests[-1].messages[-1].blocks[2]["text"]


async def test_a_collected_turn_is_bounded(talk: Talk, channel: FakeChannel) -> None:
    held = Held("first")
    model = ScriptedModel(held, "some", "rest")
    async with talk("collect", model, held):
        for n in range(4):
            await channel.say_and_settle(f"{n}" + "x" * 20_000)
        held.free.set()
        assert [(await channel.heard())[1] for _ in range(3)] == ["first", "some", "rest"]
    assert [line[:7] for line in said(model)[-3:]] == ["user: 0", "assista", "user: 3"]


async def test_steer_puts_a_message_behind_the_results_of_the_step_that_runs(
    talk: Talk, channel: FakeChannel, workspace: Path
) -> None:
    held = Held(call("look", what="it"))
    model = ScriptedModel(held, "seen, and two")
    async with talk("steer", model, held) as app:
        await channel.say_and_settle("two", key="two")
        held.free.set()
        assert await channel.heard() == ("ann", "seen, and two")
        assert await answers(app, channel, "one", "two") == [["seen, and two"], ["seen, and two"]]
        counts = await app.store.ledger.counts()
        session = channel.verdicts["one"].session_id  # type: ignore[union-attr]
    assert (counts.accepted, counts.done) == (2, 2)
    assert said(model) == ["user: one", "assistant: ", "user: two"]
    assert [block["type"] for block in model.requests[-1].messages[-1].blocks] == ["tool_result", "text", "text"]
    assert (await document(workspace, "sessions", "replay", session))["identical"]


async def test_steer_answers_next_what_came_after_the_last_step(talk: Talk, channel: FakeChannel) -> None:
    held = Held("first")
    model = ScriptedModel(held, "second")
    async with talk("steer", model, held):
        await channel.say_and_settle("two")
        held.free.set()
        assert [(await channel.heard())[1] for _ in range(2)] == ["first", "second"]
    assert said(model) == ["user: one", "assistant: first", "user: two"]


async def test_a_steered_turn_goes_on_after_a_restart_with_the_same_conversation(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", queue="steer")
    held, later = Held(call("look", what="it")), Held("never")
    model, again = ScriptedModel(held, later), ScriptedModel("both")
    async with daemon(model, channel, grace=0.05):
        await channel.say("one")
        await held.asked.wait()
        await channel.say_and_settle("two")
        held.free.set()
        await later.asked.wait()
    async with daemon(again, channel):
        assert await channel.heard() == ("ann", "both")
    assert list(again.requests[0].messages) == list(model.requests[1].messages)
    assert said(again)[-1] == "user: two"


async def test_interrupt_stops_the_turn_and_answers_the_new_message(
    talk: Talk, channel: FakeChannel, workspace: Path
) -> None:
    held = Held("never")
    model = ScriptedModel(held, "second")
    async with talk("interrupt", model, held) as app:
        with app.bus.subscribe(TurnFinished) as ends:
            await channel.say_and_settle("two", key="two")
            assert await channel.heard() == ("ann", "second")
            first, second = await anext(ends), await anext(ends)
        assert (first.outcome, first.kind, first.ends(event_id(channel, "one"))) == ("stopped", "Interrupted", False)
        assert second.ends(event_id(channel, "one"))
        assert await answers(app, channel, "one", "two") == [["second"], ["second"]]
        counts = await app.store.ledger.counts()
        session = channel.verdicts["one"].session_id  # type: ignore[union-attr]
    assert channel.silent
    assert (counts.accepted, counts.done) == (2, 2)
    assert said(model) == ["user: one", "assistant: [Interrupted by the next message.]", "user: two"]
    assert (await document(workspace, "sessions", "replay", session))["identical"]


async def test_a_call_in_flight_is_unknown_after_an_interruption(
    talk: Talk, channel: FakeChannel, workspace: Path
) -> None:
    held = Held(call("pay"))
    model = ScriptedModel(held, "second")
    async with talk("interrupt", model, held) as app:
        with app.bus.subscribe(ToolStarted) as started:
            held.free.set()
            await anext(started)
        await channel.say_and_settle("two")
        assert await channel.heard() == ("ann", "second")
        session = channel.verdicts["one"].session_id  # type: ignore[union-attr]
        [turn, _] = await app.store.reports.turns(session)
    assert model.requests[-1].messages[2].blocks[0]["content"].startswith("UNKNOWN: interrupted.")
    assert turn.steps[0].calls[0].state in {"unknown", "planned"}


async def test_of_several_interruptions_only_the_last_is_answered(talk: Talk, channel: FakeChannel) -> None:
    held = Held("never")
    model = ScriptedModel(held, *["last"] * 5)
    async with talk("interrupt", model, held) as app:
        keys = ["two", "three", "four"]
        await asyncio.gather(*(channel.say_and_settle(words, key=words) for words in keys))
        async with asyncio.timeout(10):
            while (await app.store.ledger.counts()).open:
                await channel.heard()
        assert all(await answers(app, channel, "one", *keys))
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done) == (4, 4)


async def test_somebody_else_in_a_session_interrupts_nobody(talk: Talk, channel: FakeChannel) -> None:
    held = Held("first")
    async with talk("interrupt", ScriptedModel(held, "second"), held):
        session = channel.verdicts["one"].session_id  # type: ignore[union-attr]
        await channel.say_and_settle("two", peer="bob", session=session)
        held.free.set()
        assert [await channel.heard() for _ in range(2)] == [("ann", "first"), ("bob", "second")]


@pytest.mark.parametrize("queue", ["followup", "collect", "steer", "interrupt"])
async def test_a_command_never_waits_and_never_joins(queue: str, talk: Talk, channel: FakeChannel) -> None:
    held = Held("first")
    model = ScriptedModel(held)
    async with talk(queue, model, held):
        await channel.say("/session")
        assert (await channel.heard())[1].startswith("Session ")
        held.free.set()
        assert await channel.heard() == ("ann", "first")
    assert said(model) == ["user: one"]


@pytest.mark.parametrize("queue", ["followup", "collect", "steer"])
async def test_stop_ends_the_turn_that_runs_and_what_waits_is_next(
    queue: str, talk: Talk, channel: FakeChannel
) -> None:
    held = Held("never")
    model = ScriptedModel(held, "second")
    async with talk(queue, model, held) as app:
        await channel.say_and_settle("two", key="two")
        await channel.say("/stop")
        assert {(await channel.heard())[1] for _ in range(3)} == {"Stopping.", "Stopped.", "second"}
        assert await answers(app, channel, "one", "two") == [["Stopped."], ["second"]]


@pytest.mark.parametrize("queue", ["collect", "steer"])
async def test_a_full_session_refuses_in_each_mode(queue: str, talk: Talk, channel: FakeChannel) -> None:
    held = Held("first")
    async with talk(queue, ScriptedModel(held, "rest", "more"), held):
        for _ in range(19):
            await channel.say_and_settle("x")
        with pytest.raises(QueueFull, match="20 messages"):
            await channel.say_and_settle("one too many")
        held.free.set()
        await channel.heard()


async def test_a_session_with_many_messages_does_not_hold_others_off(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", max_concurrency=1)
    held = Held("first")
    async with daemon(ScriptedModel(held, *["x"] * 30), channel):
        await channel.say("x", peer="ann")
        await held.asked.wait()
        for _ in range(15):
            await channel.say_and_settle("x", peer="ann")
        for peer in ("bob", "cat"):
            await channel.say_and_settle("x", peer=peer)
        held.free.set()
        order = [(await channel.heard())[0] for _ in range(18)]
    assert order[:4] in (["ann", "bob", "cat", "ann"], ["ann", "bob", "ann", "cat"])
