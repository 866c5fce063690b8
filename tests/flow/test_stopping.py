"""Stopping: the user's /stop, the daemon's SIGTERM, and what is left behind."""

import asyncio

from picklebot.core.events import ToolStarted, TurnStarted
from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon, Stored
from tests.store.conftest import arrival


class Held:
    """A model's answer that waits for the test."""

    def __init__(self, answer: str) -> None:
        self.asked, self.free, self._answer = asyncio.Event(), asyncio.Event(), answer

    async def __call__(self, request: ModelRequest) -> str:
        self.asked.set()
        await self.free.wait()
        return self._answer


async def test_stopping_lets_a_turn_finish_and_its_reply_go_out(daemon: Daemon, channel: FakeChannel) -> None:
    held = Held("late but here")
    async with daemon(ScriptedModel(held), channel):
        await channel.say("x")
        await held.asked.wait()
        asyncio.get_running_loop().call_later(0.05, held.free.set)
    assert await channel.heard() == ("ann", "late but here")


async def test_a_turn_that_outlives_the_grace_is_put_back_and_answered_after_the_restart(
    daemon: Daemon, channel: FakeChannel
) -> None:
    held = Held("never")
    async with daemon(ScriptedModel(held), channel, grace=0.05):
        await channel.say("x")
        await held.asked.wait()
    assert channel.silent
    async with daemon(ScriptedModel("here after all"), channel) as app:
        assert await channel.heard() == ("ann", "here after all")
        counts = await app.store.ledger.counts()
    assert (counts.accepted, counts.done) == (1, 1)


async def test_stopping_the_daemon_over_and_over_is_no_poison(daemon: Daemon, channel: FakeChannel) -> None:
    for number in range(5):
        held = Held("never")
        async with daemon(ScriptedModel(held), channel, grace=0.01):
            if number == 0:
                await channel.say("x")
            async with asyncio.timeout(10):
                await held.asked.wait()
    async with daemon(ScriptedModel("at last"), channel):
        assert await channel.heard() == ("ann", "at last")


async def test_a_message_whose_turn_never_ends_is_set_aside_and_the_next_one_served(
    daemon: Daemon, channel: FakeChannel, stored: Stored
) -> None:
    async with stored() as store:
        accepted = await store.inbox.accept(arrival("poison"), limit=9)
        for _ in range(3):  # three attempts that a crash cut short
            await store.inbox.begin(accepted.event.session_id, accepted.event.created_at, alone=True)
    async with daemon(ScriptedModel("good"), channel) as app:
        assert "set this message aside" in (await channel.heard())[1]
        await channel.say("next")
        assert await channel.heard() == ("ann", "good")
        assert (await app.store.ledger.counts()).dead == 1


async def test_stop_ends_the_running_turn_and_the_conversation_goes_on(daemon: Daemon, channel: FakeChannel) -> None:
    held = Held("never")
    model = ScriptedModel(held, "fresh")
    async with daemon(model, channel) as app:
        with app.bus.subscribe(TurnStarted) as started:
            await channel.say("x")
            await anext(started)
        await held.asked.wait()
        await channel.say("/stop")
        replies = {(await channel.heard())[1] for _ in range(2)}
        assert replies == {"Stopping.", "Stopped."}
        await channel.say("again")
        assert await channel.heard() == ("ann", "fresh")
    assert [message.role for message in model.requests[-1].messages] == ["user", "assistant", "user"]


async def test_stop_in_the_middle_of_a_tool_leaves_a_conversation_that_the_api_takes(
    daemon: Daemon, channel: FakeChannel
) -> None:
    call = Message("assistant", ({"type": "tool_use", "id": "c1", "name": "bash", "input": {"command": "sleep 60"}},))
    model = ScriptedModel(call, "fresh")
    async with daemon(model, channel) as app:
        with app.bus.subscribe(ToolStarted) as started:
            await channel.say("x")
            await anext(started)
        await channel.say("/stop")
        assert {(await channel.heard())[1] for _ in range(2)} == {"Stopping.", "Stopped."}
        await channel.say("again")
        await channel.heard()
    messages = model.requests[-1].messages
    assert [message.role for message in messages] == ["user", "assistant", "user", "assistant", "user"]
    assert messages[2].blocks[0]["tool_use_id"] == "c1"


async def test_stop_with_nothing_running_says_so(daemon: Daemon, channel: FakeChannel) -> None:
    async with daemon(ScriptedModel(), channel):
        await channel.say("/stop")
        assert await channel.heard() == ("ann", "Nothing is running here.")


async def test_stop_does_not_meet_the_message_that_came_right_after_it(daemon: Daemon, channel: FakeChannel) -> None:
    held = Held("here")
    async with daemon(ScriptedModel("hello", held), channel):
        await channel.say("x")
        await channel.heard()
        await channel.say("/stop")  # both before anybody looks, as a platform brings what has waited
        await channel.say("next")
        await held.asked.wait()
        assert await channel.heard() == ("ann", "Nothing is running here.")
        held.free.set()
        assert await channel.heard() == ("ann", "here")
