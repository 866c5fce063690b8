"""Jobs made in conversation, when a crash, a missing agent or a limit comes in between."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.jobs.task import NewTask
from picklebot.jobs.timing import Timing
from picklebot.store import tasks as rows_of_tasks
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon, Stored
from tests.flow.jobs import rows
from tests.flow.jobs import told as outcomes
from tests.flow.unasked import calls, due, results, told, undo_the_end


def schedule(**when: object) -> Message:
    return calls("schedule_task", prompt="Ask about the tea.", **when)


async def test_a_task_that_was_never_seen_by_a_scheduler_is_not_forgotten(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, stored: Stored
) -> None:
    at = clock.now().replace(minute=20)
    async with stored() as store:
        timing = Timing(zone=at.tzinfo or pytest.fail("no zone"), at=at)
        await store.tasks.add(
            NewTask(
                key="k",
                session_id=None,
                agent_id="echo",
                place="fake:ann",
                prompt="x",
                timing=timing,
                created_at=clock.now(),
            )
        )
    clock.advance(hours=1)
    async with daemon(ScriptedModel("here I am"), channel):
        assert await channel.heard() == ("ann", "here I am")


async def test_a_turn_that_is_resumed_makes_no_second_task(
    daemon: Daemon, channel: FakeChannel, stored: Stored
) -> None:
    """The daemon dies after the task was written and before the call's result was."""
    async with daemon(ScriptedModel(schedule(every="1h"), "noted"), channel):
        await channel.say("hello")
        await channel.heard()
    async with stored() as store:
        await undo_the_end(store)
    model = ScriptedModel("noted again")
    async with daemon(model, channel) as app:
        assert await channel.heard() == ("ann", "noted again")
        assert [task.id for task in await app.store.tasks.open()] == [1]
    assert told(model.requests[0])["id"] == "1"


async def test_a_task_without_its_agent_says_so_once(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, workspace: Path, agent: Callable[..., None]
) -> None:
    agent("scout")
    model = ScriptedModel(schedule(every="1h"), "noted", "back again")
    async with daemon(model, channel):
        await channel.say("hello", agent="scout")
        await channel.heard()
    (workspace / "agents/scout/AGENT.md").unlink()
    async with daemon(model, channel) as app:
        await due(app)
        clock.advance(hours=1)
        peer, words = await channel.heard()
        assert (peer, "could not be begun: no agent is called 'scout'" in words) == ("ann", True)
        clock.advance(hours=1)
        assert outcomes(await rows(app, "task:1", 2))[1][1] == "failed"
        assert channel.silent
    agent("scout")
    async with daemon(model, channel) as app:
        await due(app)
        clock.advance(hours=1)
        assert await channel.heard() == ("ann", "back again")


async def test_a_task_without_its_session_says_so_once_and_ends(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, stored: Stored
) -> None:
    timing = Timing(zone=clock.now().tzinfo or pytest.fail("no zone"), every=3600.0, anchor=clock.now())
    async with stored() as store:
        await store.tasks.add(
            NewTask(
                key="k",
                session_id="gone",
                agent_id="echo",
                place="fake:ann",
                prompt="x",
                timing=timing,
                created_at=clock.now(),
            )
        )
    async with daemon(ScriptedModel(), channel) as app:
        await due(app)
        clock.advance(hours=1)
        _, words = await channel.heard()
        assert "there is no session 'gone'" in words
        assert (await app.store.tasks.open()) == []


async def test_a_session_has_so_many_tasks_and_no_more(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock, stored: Stored
) -> None:
    wish = schedule(every="1h")
    async with daemon(ScriptedModel(wish, "noted"), channel) as app:
        await channel.say("hello")
        await channel.heard()
        [first] = await app.store.tasks.open()
    async with stored() as store:
        new = NewTask(
            key="",
            session_id=first.session_id,
            agent_id="echo",
            place="fake:ann",
            prompt="x",
            timing=first.timing,
            created_at=clock.now(),
        )
        for number in range(1, rows_of_tasks.PER_SESSION):
            await store.tasks.add(replace(new, key=str(number)))
    model = ScriptedModel(wish, "full")
    async with daemon(model, channel):
        await channel.say("another")
        await channel.heard()
    assert "this session has 200 tasks, and may have 200" in results(model.requests[1])[0]
