"""Jobs made in conversation, from the words of a model to the reply in the chat that made them."""

from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.models.offline import OfflineModel
from picklebot.testing import FakeChannel, FakeClock, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.jobs import rows, scheduled, write_job
from tests.flow.jobs import told as outcomes
from tests.flow.unasked import calls, due, results, told


def schedule(**when: object) -> Message:
    return calls("schedule_task", prompt="Ask about the tea.", **when)


async def test_a_task_made_in_conversation_runs_in_the_chat_that_made_it(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    model = ScriptedModel(schedule(at="2030-01-01T00:10", timezone="UTC"), "I will ask.", "How was the tea?")
    async with daemon(model, channel) as app:
        await channel.say("ask me later", peer="bob")
        assert await channel.heard() == ("bob", "I will ask.")
        said = told(model.requests[1])
        assert (said["id"], said["state"]) == ("1", "active")
        assert said["understood"] == "Tuesday 2030-01-01 00:10 (UTC)"
        await due(app)
        clock.advance(minutes=10)
        assert await channel.heard() == ("bob", "How was the tea?")
        [instant] = await rows(app, "task:1", 1)
        assert instant.verdict == "ran"
        [session] = await app.store.sessions.recent()
        assert session.source == Source("fake", ("bob",))
    asked = model.requests[2]
    assert asked.messages[0].text.endswith("ask me later")
    assert "Ask about the tea." in asked.messages[-1].text
    assert "Channel: task:1" in asked.messages[-1].text


async def test_a_task_outlives_restarts_also_one_whose_moment_came_in_between(
    daemon: Daemon, channel: FakeChannel, clock: FakeClock
) -> None:
    wishes = [schedule(every="1h"), calls("schedule_task", "c2", prompt="Once.", at="2030-01-01T00:30", timezone="UTC")]
    both = Message("assistant", tuple(block for wish in wishes for block in wish.blocks))
    async with daemon(ScriptedModel(both, "noted"), channel):
        await channel.say("hello")
        await channel.heard()
    clock.advance(minutes=45)
    async with daemon(ScriptedModel("late, but here"), channel) as app:
        assert await channel.heard() == ("ann", "late, but here")
        made = {number: await app.store.tasks.find(number) for number in (1, 2)}  # two calls of one step race
        [once] = [number for number, task in made.items() if task is not None and task.timing.at is not None]
        assert outcomes(await rows(app, f"task:{once}", 1))[0][1] == "late"
        await due(app, 3 - once)
    async with daemon(ScriptedModel("on the hour"), channel) as app:
        await due(app, 3 - once)
        clock.advance(minutes=15)
        assert await channel.heard() == ("ann", "on the hour")
        done = await app.store.tasks.find(once)
        assert done is not None
        assert done.state == "done"


async def test_a_cancelled_task_does_not_run(daemon: Daemon, channel: FakeChannel, clock: FakeClock) -> None:
    model = ScriptedModel(schedule(every="1h"), "noted", calls("cancel_task", id="1"), "gone")
    async with daemon(model, channel) as app:
        await channel.say("hello")
        await channel.heard()
        await due(app)
        await channel.say("stop that")
        assert await channel.heard() == ("ann", "gone")
        assert results(model.requests[3]) == ["Task 1 is cancelled: Ask about the tea."]
        clock.advance(hours=2)
        await channel.say("/tasks")
        shown = (await channel.heard())[1]
        assert "Nothing is scheduled." in shown
        assert "**1** cancelled" in shown
    assert len(model.requests) == 4


async def test_the_tasks_of_a_chat_are_its_own_and_the_owner_sees_all(daemon: Daemon, clock: FakeClock) -> None:
    channel, terminal = FakeChannel(), FakeChannel("cli")
    model = ScriptedModel(
        schedule(every="1h"),
        "noted",
        calls("list_tasks"),
        "x",
        calls("cancel_task", id="1"),
        "x",
        calls("list_tasks"),
        "y",
    )
    async with daemon(model, channel, terminal):
        await channel.say("hello", peer="bob")
        await channel.heard()
        for words in ("what is there?", "end it"):
            await channel.say(words, peer="eve")
            await channel.heard()
        assert results(model.requests[3]) == ["Nothing is scheduled."]
        assert "there is no task '1' here" in results(model.requests[5])[0]
        await channel.say("/tasks cancel 1", peer="eve")
        assert "there is no task '1' here" in (await channel.heard())[1]
        await terminal.say("what is there?")
        await terminal.heard()
        assert "**1** every 1 hour" in results(model.requests[7])[0]
        await terminal.say("/tasks cancel 1")
        assert (await terminal.heard())[1].startswith("Task 1 is cancelled")


async def test_a_moment_in_the_past_is_refused_in_words(daemon: Daemon, channel: FakeChannel) -> None:
    model = ScriptedModel(schedule(at="2029-12-31T23:00", timezone="UTC"), "sorry")
    async with daemon(model, channel):
        await channel.say("hello")
        await channel.heard()
    assert results(model.requests[1]) == [
        "Monday 2029-12-31 23:00 (UTC) has passed: it is Tuesday 2030-01-01 00:00 (UTC) now"
    ]


@pytest.mark.parametrize("answer", ["approve", "deny"])
async def test_a_task_that_runs_often_waits_for_the_owners_consent(
    daemon: Daemon, clock: FakeClock, answer: str
) -> None:
    terminal = FakeChannel("cli")
    model = ScriptedModel(schedule(every="5m"), "it waits for you", "tick")
    async with daemon(model, terminal) as app:
        await terminal.say("every five minutes")
        await terminal.heard()
        said = told(model.requests[1])
        assert said["state"] == "waiting for consent"
        assert "up to 12 times an hour" in said["note"]
        clock.advance(hours=1)
        [proposal] = await app.store.proposals.open(clock.now())
        assert (proposal.kind, proposal.id in said["note"]) == ("task", True)
        await terminal.say(f"/{answer} {proposal.id}")
        reply = (await terminal.heard())[1]
        task = await app.store.tasks.find(1)
        assert task is not None
        if answer == "deny":
            assert (task.state, task.note) == ("cancelled", "the owner refused it")
        else:
            assert reply.startswith("Task 1 runs every 5 minutes, next")
            await due(app)
            clock.advance(minutes=5)
            assert await terminal.heard() == ("ann", "tick")
            assert len(await rows(app, "task:1", 1)) == 1  # and none for the hour in which it waited


@pytest.mark.parametrize("when", [{"every": "15m"}, {"schedule": "*/15 * * * *"}, {"schedule": "0 9 * * *"}])
async def test_four_times_an_hour_need_no_consent(daemon: Daemon, channel: FakeChannel, when: dict[str, str]) -> None:
    model = ScriptedModel(schedule(**when), "noted")
    async with daemon(model, channel):
        await channel.say("hello")
        await channel.heard()
    assert told(model.requests[1])["state"] == "active"


async def test_the_offline_model_reminds(daemon: Daemon, clock: FakeClock) -> None:
    terminal = FakeChannel("cli")
    async with daemon(OfflineModel(), terminal) as app:
        await terminal.say("remind me to call mum in 10 minutes")
        assert "To undo it, say: cancel task 1" in (await terminal.heard())[1]
        await terminal.say("list my reminders")
        assert "Remind the user: call mum" in (await terminal.heard())[1]
        await due(app)
        clock.advance(minutes=10)
        assert await terminal.heard() == ("ann", "Reminder: call mum")
        await terminal.say("remind me to stretch every hour")
        await terminal.heard()
        await terminal.say("cancel task 2")
        assert (await terminal.heard())[1] == "I cancelled 2."


async def test_a_chat_begins_tasks_and_leaves_other_jobs_to_the_server(
    daemon: Daemon, clock: FakeClock, workspace: Path
) -> None:
    terminal = FakeChannel("cli")
    job = write_job(workspace, "brief", deliver="cli:ann")
    async with daemon(ScriptedModel("good morning"), terminal) as app:
        state = await scheduled(app, job)
        clock.advance(hours=1)
        await terminal.heard()
        state = await scheduled(app, job)
    model = ScriptedModel(schedule(at="01:30", timezone="UTC"), "noted", "How was the tea?")
    async with daemon(model, terminal, role="chat") as app:
        await terminal.say("ask me later")
        await terminal.heard()
        await due(app)
        clock.advance(hours=5)
        assert await terminal.heard() == ("ann", "How was the tea?")
        assert await app.store.jobs.states([job]) == [state]
