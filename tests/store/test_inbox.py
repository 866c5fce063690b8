"""Promises P1, P2 and P3 at the store's door."""

import asyncio
from datetime import timedelta

import pytest

from picklebot.core.events import OutboundEvent
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.messages import Message, ToolResult
from picklebot.core.replies import ModelReply, Usage
from picklebot.core.source import Source
from picklebot.errors import NotFound, QueueFull
from picklebot.store.base import Conclusion
from picklebot.store.inbox import SqliteInbox
from picklebot.store.sqlite import SqliteStore
from tests.store.conftest import ANN, NOW, arrival

CALLING = ModelReply(
    message=Message("assistant", ({"type": "tool_use", "id": "c1", "name": "look", "input": {"x": 1}},)),
    stop_reason="tool_use",
    model="m",
    usage=Usage(input_tokens=3, output_tokens=2),
)


async def test_the_same_key_gives_the_same_event_and_no_second_turn(store: SqliteStore) -> None:
    first = await store.inbox.accept(arrival(), limit=9)
    again = await asyncio.gather(*(store.inbox.accept(arrival("other words"), limit=9) for _ in range(5)))
    assert not first.duplicate
    assert all(a.duplicate and a.event == first.event for a in again)
    assert (await store.ledger.counts()).accepted == 1


async def test_the_same_key_on_another_channel_is_another_message(store: SqliteStore) -> None:
    await store.inbox.accept(arrival(), limit=9)
    other = await store.inbox.accept(arrival(source=Source("other", ("ann",))), limit=9)
    assert not other.duplicate


async def test_a_source_keeps_its_session(store: SqliteStore) -> None:
    first = await store.inbox.accept(arrival(), limit=9)
    second = await store.inbox.accept(arrival(key="k2"), limit=9)
    assert second.event.session_id == first.event.session_id


async def test_a_new_session_is_kept_from_then_on(store: SqliteStore) -> None:
    first = await store.inbox.accept(arrival(), limit=9)
    fresh = await store.inbox.accept(arrival(key="k2", new_session=True), limit=9)
    third = await store.inbox.accept(arrival(key="k3"), limit=9)
    assert fresh.event.session_id != first.event.session_id
    assert third.event.session_id == fresh.event.session_id


async def test_naming_an_agent_finds_its_session_again(store: SqliteStore) -> None:
    pickle = await store.inbox.accept(arrival(agent_id="pickle"), limit=9)
    cookie = await store.inbox.accept(arrival(key="k2", agent_id="cookie", pinned=True), limit=9)
    back = await store.inbox.accept(arrival(key="k3", agent_id="pickle", pinned=True), limit=9)
    assert cookie.event.agent_id == "cookie"
    assert back.event.session_id == pickle.event.session_id


async def test_a_session_that_does_not_exist_is_refused(store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="nope"):
        await store.inbox.accept(arrival(session_id="nope"), limit=9)
    assert (await store.ledger.counts()).accepted == 0


async def test_a_full_queue_refuses_and_keeps_nothing(store: SqliteStore) -> None:
    for n in range(3):
        await store.inbox.accept(arrival(key=f"k{n}"), limit=3)
    with pytest.raises(QueueFull):
        await store.inbox.accept(arrival(key="k9"), limit=3)
    assert (await store.ledger.counts()).accepted == 3


async def test_turns_begin_in_the_order_of_acceptance(store: SqliteStore) -> None:
    session = (await store.inbox.accept(arrival("one"), limit=9)).event.session_id
    await store.inbox.accept(arrival("two", key="k2"), limit=9)
    turn = await store.inbox.begin(session, NOW)
    assert turn is not None
    assert turn.event.content == "one"
    await store.turns.finish(Conclusion(turn=turn, outcome="done", messages=[], outbound=[], at=NOW))
    following = await store.inbox.begin(session, NOW)
    assert following is not None
    assert following.event.content == "two"


async def test_an_attempt_is_counted_before_the_turn_and_taken_back_on_release(store: SqliteStore) -> None:
    session = (await store.inbox.accept(arrival(), limit=9)).event.session_id
    assert [(await store.inbox.begin(session, NOW, alone=True)).attempts for _ in range(3)] == [1, 2, 3]  # type: ignore[union-attr]
    turn = await store.inbox.begin(session, NOW, alone=True)
    assert turn is not None
    await store.inbox.release(turn)
    again = await store.inbox.begin(session, NOW, alone=True)
    assert again is not None
    assert again.attempts == turn.attempts == 4


async def test_a_begun_turn_finds_its_recorded_steps_and_results(store: SqliteStore) -> None:
    session = (await store.inbox.accept(arrival(), limit=9)).event.session_id
    turn = await store.inbox.begin(session, NOW, alone=True)
    assert turn is not None
    assert turn.opening is None
    opening = Message.user("<context>", "hi")
    step = RecordedStep(n=0, reply=CALLING, cost_usd=0.5)
    planned = PlannedCall(call_id="c1", tool="look", effect="once", input={"x": 1})
    await store.turns.record_step(turn, step, [planned], opening=opening, at=NOW)
    await store.turns.start_call(turn, 0, "c1", at=NOW)
    again = await store.inbox.begin(session, NOW, alone=True)
    assert again is not None
    assert again.opening == opening
    assert again.steps[0].reply == CALLING
    assert again.steps[0].calls["c1"].state == "started"
    await store.turns.record_result(turn, 0, ToolResult("c1", "seen"), state="done", at=NOW)
    last = await store.inbox.begin(session, NOW, alone=True)
    assert last is not None
    assert last.steps[0].calls["c1"].result == ToolResult("c1", "seen")


async def test_a_deferred_turn_waits_and_holds_its_session_back(store: SqliteStore) -> None:
    session = (await store.inbox.accept(arrival(), limit=9)).event.session_id
    await store.inbox.accept(arrival("two", key="k2"), limit=9)
    turn = await store.inbox.begin(session, NOW)
    assert turn is not None
    later = NOW + timedelta(minutes=5)
    await store.inbox.defer(turn, until=later, why="", notice=None)
    assert await store.inbox.begin(session, NOW) is None
    assert await store.inbox.due(NOW, limit=9) == []
    assert await store.inbox.next_due(NOW) == later
    resumed = await store.inbox.begin(session, later)
    assert resumed is not None
    assert resumed.event.content == "hi"


async def test_sessions_that_wait_are_found_longest_waiting_first(store: SqliteStore) -> None:
    sessions = [
        (await store.inbox.accept(arrival(key=name, source=Source("fake", (name,))), limit=9)).event.session_id
        for name in "abc"
    ]
    assert [s for s, _ in await store.inbox.due(NOW, limit=9)] == sessions
    assert [s for s, _ in await store.inbox.due(NOW, limit=1, busy=sessions[:1])] == sessions[1:2]


async def test_a_buried_message_is_counted_as_dead_and_never_begun(store: SqliteStore) -> None:
    event = (await store.inbox.accept(arrival(), limit=9)).event
    turn = await store.inbox.begin(event.session_id, NOW)
    assert turn is not None
    notice = OutboundEvent(session_id=event.session_id, source=ANN, to=ANN, content="set aside", cause_id=event.id)
    await store.inbox.bury(turn, error="poison", notice=notice)
    counts = await store.ledger.counts()
    assert (counts.dead, counts.open, counts.undelivered) == (1, 0, 1)
    assert await store.inbox.begin(event.session_id, NOW) is None


async def test_a_command_is_accepted_and_answered_in_one_step(store: SqliteStore) -> None:
    reply = await store.inbox.answer(arrival("/help"), "help is here")
    seen = await store.inbox.seen("fake", "k1")
    counts = await store.ledger.counts()
    assert seen is not None
    assert reply is not None
    assert reply.cause_id == seen.id
    assert (counts.accepted, counts.done, counts.open, counts.undelivered) == (1, 1, 0, 1)


async def test_a_message_that_finds_room_is_begun_with_its_acceptance(store: SqliteStore) -> None:
    accepted = await store.inbox.accept(arrival(), limit=9, room=1)
    turn = await store.inbox.begin(accepted.event.session_id, NOW)
    assert turn is not None
    assert (turn.seq, turn.event, turn.attempts) == (accepted.seq, accepted.event, 1)
    after_a_crash = await SqliteInbox(store.inbox._database).begin(accepted.event.session_id, NOW)
    assert after_a_crash is not None
    assert after_a_crash.attempts == 2


async def attempts_at_the_door(store: SqliteStore, seq: int) -> int:
    return int((await store.reports.standing(seq))["attempts"])


async def test_only_as_many_are_begun_at_the_door_as_there_is_room_for(store: SqliteStore) -> None:
    people = [Source("fake", (f"p{n}",)) for n in range(3)]
    accepted = [await store.inbox.accept(arrival(key=str(person), source=person), limit=9, room=2) for person in people]
    assert [await attempts_at_the_door(store, each.seq) for each in accepted] == [1, 1, 0]
    assert await store.inbox.begin(accepted[0].event.session_id, NOW)
    later = await store.inbox.accept(arrival(key="k9", source=Source("fake", ("p9",))), limit=9, room=2)
    assert await attempts_at_the_door(store, later.seq) == 1


async def test_a_message_behind_another_one_is_not_begun_at_the_door(store: SqliteStore) -> None:
    first = await store.inbox.accept(arrival(key="k1"), limit=9)
    second = await store.inbox.accept(arrival(key="k2"), limit=9, room=9)
    assert await attempts_at_the_door(store, second.seq) == 0
    turn = await store.inbox.begin(second.event.session_id, NOW)
    assert turn is not None
    assert turn.seq == first.seq


async def test_a_message_for_another_agent_than_was_asked_is_not_begun_at_the_door(store: SqliteStore) -> None:
    first = await store.inbox.accept(arrival(key="k1"), limit=9)
    await finished(store, first.event.session_id)
    second = await store.inbox.accept(arrival(key="k2", agent_id="scout"), limit=9, room=9)
    assert second.event.agent_id == "echo"
    assert await attempts_at_the_door(store, second.seq) == 0


async def test_the_same_message_again_is_not_begun_again(store: SqliteStore) -> None:
    first = await store.inbox.accept(arrival(), limit=9, room=9)
    await finished(store, first.event.session_id)
    again = await store.inbox.accept(arrival(), limit=9, room=9)
    assert again.duplicate
    assert await store.inbox.begin(first.event.session_id, NOW) is None


async def test_a_turn_that_was_asked_for_before_its_acceptance_was_told_is_given_once(store: SqliteStore) -> None:
    first = await store.inbox.accept(arrival(key="k1"), limit=9)
    session_id = first.event.session_id
    await finished(store, session_id)
    second, turn = await asyncio.gather(
        store.inbox.accept(arrival(key="k2"), limit=9, room=9), store.inbox.begin(session_id, NOW)
    )
    if turn is None:
        turn = await store.inbox.begin(session_id, NOW)
    assert turn is not None
    assert turn.seq == second.seq
    await store.turns.finish(Conclusion(turn=turn, outcome="done", messages=[], outbound=[], at=NOW))
    assert await store.inbox.begin(session_id, NOW) is None


async def finished(store: SqliteStore, session_id: str) -> None:
    turn = await store.inbox.begin(session_id, NOW)
    assert turn is not None
    await store.turns.finish(Conclusion(turn=turn, outcome="done", messages=[], outbound=[], at=NOW))
