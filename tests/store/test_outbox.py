"""Replies leave in order, one at a time a peer, and nothing is lost between attempts."""

from datetime import timedelta

import pytest

from picklebot.core.events import OutboundEvent
from picklebot.core.journal import RecordedStep
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply, Usage
from picklebot.core.source import Source
from picklebot.store.base import Conclusion
from picklebot.store.sqlite import SqliteStore
from tests.store.conftest import NOW, arrival


class Quay:
    """Counts the places that are left."""

    def __init__(self, places: int) -> None:
        self.places = places

    def book(self) -> bool:
        self.places -= self.places > 0
        return self.places > 0

    def free(self) -> None:
        self.places += 1


async def reply(store: SqliteStore, peer: str, *parts: str) -> list[OutboundEvent]:
    content = " ".join(parts)
    source = Source("fake", (peer,))
    accepted = await store.inbox.accept(arrival(key=f"{peer}{content}", source=source), limit=99)
    turn = await store.inbox.begin(accepted.event.session_id, NOW)
    assert turn is not None
    outbound = [
        OutboundEvent(
            session_id=turn.event.session_id, source=source, to=source, cause_id=turn.id, content=part, created_at=NOW
        )
        for part in parts
    ]
    step = RecordedStep(
        n=0,
        reply=ModelReply(
            message=Message.assistant(content), stop_reason="end_turn", model="m", usage=Usage(output_tokens=2)
        ),
        cost_usd=0.25,
    )
    messages = [Message.user("hi"), Message.assistant(content)]
    await store.turns.finish(
        Conclusion(turn=turn, outcome="done", messages=messages, outbound=outbound, at=NOW, last=step)
    )
    return outbound


async def test_each_peer_is_served_its_oldest_reply_only(store: SqliteStore) -> None:
    for peer, content in [("ann", "1"), ("ann", "2"), ("bob", "3")]:
        await reply(store, peer, content)
    rows = await store.outbox.claim("fake", NOW, limit=9)
    assert [row.event.content for row in rows] == ["1", "3"]
    assert await store.outbox.claim("fake", NOW, limit=9) == []
    await store.outbox.ack(rows[0], receipt="r", at=NOW)
    assert [row.event.content for row in await store.outbox.claim("fake", NOW, limit=9)] == ["2"]


async def test_a_rescheduled_reply_keeps_its_place_and_its_id(store: SqliteStore) -> None:
    await reply(store, "ann", "1")
    await reply(store, "ann", "2")
    (row,) = await store.outbox.claim("fake", NOW, limit=9)
    later = NOW + timedelta(seconds=5)
    await store.outbox.reschedule(row, not_before=later, error="away")
    assert await store.outbox.claim("fake", NOW, limit=9) == []
    assert await store.outbox.next_due("fake") == later
    (again,) = await store.outbox.claim("fake", later, limit=9)
    assert (again.event, again.attempts) == (row.event, 2)


async def test_a_buried_reply_lets_the_next_one_through(store: SqliteStore) -> None:
    await reply(store, "ann", "1")
    await reply(store, "ann", "2")
    (row,) = await store.outbox.claim("fake", NOW, limit=9)
    await store.outbox.bury(row, error="blocked", at=NOW)
    assert [r.event.content for r in await store.outbox.claim("fake", NOW, limit=9)] == ["2"]
    assert (await store.ledger.counts()).dead_replies == 1


async def test_a_reply_that_may_leave_at_once_is_claimed_by_the_end_of_its_turn(store: SqliteStore) -> None:
    store.outbox.open("fake", Quay(9))
    [event] = await reply(store, "ann", "1")
    assert await store.outbox.claim("fake", NOW, limit=9) == []
    row = store.outbox.claimed(event.id)
    assert row is not None
    assert (row.event, row.attempts, row.more) == (event, 1, False)
    assert store.outbox.claimed(event.id) is None
    await store.outbox.reschedule(row, not_before=NOW, error="away")
    (again,) = await store.outbox.claim("fake", NOW, limit=9)
    assert (again.seq, again.attempts, again.unknown) == (row.seq, 2, False)


async def test_what_was_claimed_by_the_end_of_its_turn_and_not_sent_is_due_after_a_crash(store: SqliteStore) -> None:
    store.outbox.open("fake", Quay(9))
    [event] = await reply(store, "ann", "1")
    assert await store.outbox.recover() == 1
    (row,) = await store.outbox.claim("fake", NOW, limit=9)
    assert (row.event, row.unknown) == (event, True)


async def test_only_the_first_part_leaves_at_once_and_knows_of_the_others(store: SqliteStore) -> None:
    store.outbox.open("fake", Quay(9))
    parts = await reply(store, "ann", "1", "2", "3")
    first, *others = [store.outbox.claimed(event.id) for event in parts]
    assert first is not None
    assert first.more
    assert others == [None, None]
    assert await store.outbox.claim("fake", NOW, limit=9) == []
    await store.outbox.ack(first, receipt="r", at=NOW)
    assert [row.event.content for row in await store.outbox.claim("fake", NOW, limit=9)] == ["2"]


async def test_nothing_overtakes_a_reply_that_waits(store: SqliteStore) -> None:
    await reply(store, "ann", "1")
    (row,) = await store.outbox.claim("fake", NOW, limit=9)
    await store.outbox.reschedule(row, not_before=NOW + timedelta(hours=1), error="away")
    quay = Quay(9)
    store.outbox.open("fake", quay)
    [event] = await reply(store, "ann", "2")
    assert store.outbox.claimed(event.id) is None
    assert quay.places == 9
    assert await store.outbox.claim("fake", NOW, limit=9) == []


@pytest.mark.parametrize("case", ["full", "closed", "another channel"])
async def test_a_reply_waits_in_the_outbox_where_there_is_no_place_for_it(store: SqliteStore, case: str) -> None:
    store.outbox.open("other" if case == "another channel" else "fake", Quay(1 if case == "full" else 9))
    if case == "closed":
        store.outbox.close()
    [event] = await reply(store, "ann", "1")
    assert store.outbox.claimed(event.id) is None
    assert [row.event for row in await store.outbox.claim("fake", NOW, limit=9)] == [event]


async def test_what_was_being_sent_at_a_crash_is_due_again_and_marked(store: SqliteStore) -> None:
    await reply(store, "ann", "1")
    await store.outbox.claim("fake", NOW, limit=9)
    assert await store.outbox.recover() == 1
    (row,) = await store.outbox.claim("fake", NOW, limit=9)
    assert row.unknown


async def test_a_finished_turn_is_in_the_transcript_the_log_and_the_sums(store: SqliteStore) -> None:
    await reply(store, "ann", "1")
    (session,) = await store.sessions.recent()
    assert [m.text for m in await store.sessions.transcript(session.id)] == ["hi", "1"]
    assert [type(event).__name__ for _, event in await store.log.after(0)] == ["InboundEvent", "OutboundEvent"]
    (spend,) = await store.ledger.spend("agent")
    assert (spend.key, spend.calls, spend.cost_usd, spend.usage.output_tokens) == ("echo", 1, 0.25, 2)
    counts = await store.ledger.counts()
    assert counts.accepted == counts.done + counts.failed + counts.dead + counts.open
