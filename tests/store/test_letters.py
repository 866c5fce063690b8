"""What was set aside is kept, shown, retried and dropped, and the ledger stays in balance (P7)."""

from datetime import timedelta

import pytest

from picklebot.core.events import OutboundEvent
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply
from picklebot.errors import NotFound
from picklebot.store.base import Turn
from picklebot.store.letters import DROPPED
from picklebot.store.sqlite import SqliteStore
from tests.store.conftest import ANN, NOW, arrival

LATER = NOW + timedelta(days=3)


async def set_aside_message(store: SqliteStore, *, key: str = "k1") -> Turn:
    """Begin a turn, record a step of it, and give it up."""
    accepted = await store.inbox.accept(arrival("poison", key=key), limit=9)
    turn = await store.inbox.begin(accepted.event.session_id, NOW)
    assert turn is not None
    message = Message("assistant", ({"type": "tool_use", "id": "c1", "name": "bash", "input": {}},))
    step = RecordedStep(n=0, reply=ModelReply(message=message, stop_reason="tool_use"), cost_usd=None)
    planned = PlannedCall(call_id="c1", tool="bash", effect="once", input={})
    await store.turns.record_step(turn, step, [planned], opening=Message.user("poison"), at=NOW)
    await store.inbox.bury(turn, error="it never ended", notice=reply(turn))
    return turn


def reply(turn: Turn, content: str = "I have set this message aside.") -> OutboundEvent:
    return OutboundEvent(session_id=turn.event.session_id, source=ANN, to=ANN, cause_id=turn.event.id, content=content)


async def set_aside_reply(store: SqliteStore) -> str:
    [row] = await store.outbox.claim("fake", NOW, limit=1)
    await store.outbox.bury(row, error="gone", at=NOW)
    return row.event.id


async def in_balance(store: SqliteStore) -> bool:
    counts = await store.ledger.counts()
    return counts.accepted == counts.done + counts.failed + counts.dead + counts.open


async def test_messages_and_replies_that_were_set_aside_are_listed_in_order(store: SqliteStore) -> None:
    turn = await set_aside_message(store)
    reply_id = await set_aside_reply(store)
    letters = await store.letters.dead()
    assert [(letter.kind, letter.event.id, letter.attempts, letter.error) for letter in letters] == [
        ("message", turn.event.id, 1, "it never ended"),
        ("reply", reply_id, 1, "gone"),
    ]
    assert [letter.content for letter in letters] == ["poison", "I have set this message aside."]


async def test_a_message_that_is_retried_goes_on_from_its_recorded_steps(store: SqliteStore) -> None:
    turn = await set_aside_message(store)
    letter = await store.letters.retry(turn.event.id[:20], at=LATER)
    assert letter.event == turn.event
    again = await store.inbox.begin(turn.event.session_id, LATER)
    assert again is not None
    assert (again.event, again.attempts, again.opening) == (turn.event, 1, Message.user("poison"))
    assert [list(step.calls) for step in again.steps] == [["c1"]]
    assert await store.letters.dead() == []
    assert await in_balance(store)


async def test_a_reply_that_is_retried_is_due_at_once_and_before_newer_ones(store: SqliteStore) -> None:
    turn = await set_aside_message(store)
    reply_id = await set_aside_reply(store)
    await store.inbox.answer(arrival("/help", key="k2"), "newer")
    await store.letters.retry(reply_id, at=LATER)
    [row] = await store.outbox.claim("fake", NOW, limit=9)
    assert (row.event.id, row.attempts, row.event.cause_id) == (reply_id, 1, turn.event.id)
    await store.outbox.ack(row, receipt="r", at=LATER)
    assert (await store.ledger.counts()).dead_replies == 0


async def test_everything_is_retried_at_once(store: SqliteStore) -> None:
    await set_aside_message(store)
    await set_aside_reply(store)
    assert {letter.kind for letter in await store.letters.retry_all(at=LATER)} == {"message", "reply"}
    assert await store.letters.dead() == []
    assert await store.letters.retry_all(at=LATER) == []


async def test_a_dropped_message_counts_as_failed_and_says_by_whom(store: SqliteStore) -> None:
    turn = await set_aside_message(store)
    await store.letters.drop(turn.event.id, at=LATER)
    counts = await store.ledger.counts()
    assert (counts.accepted, counts.failed, counts.dead, counts.open) == (1, 1, 0, 0)
    assert str((await store.reports.standing(turn.seq))["error"]).startswith(DROPPED)
    assert await store.inbox.begin(turn.event.session_id, LATER) is None


async def test_a_dropped_reply_is_kept_in_the_log_and_never_sent(store: SqliteStore) -> None:
    await set_aside_message(store)
    reply_id = await set_aside_reply(store)
    await store.letters.drop(reply_id, at=LATER)
    assert await store.outbox.claim("fake", LATER, limit=9) == []
    assert [letter.kind for letter in await store.letters.dead()] == ["message"]
    seq, _ = await store.log.get(reply_id)
    assert (await store.reports.standing(seq))["state"] == "dropped"
    assert (await store.ledger.counts()).undelivered == 0


async def test_what_is_not_set_aside_is_neither_retried_nor_dropped(store: SqliteStore) -> None:
    accepted = await store.inbox.accept(arrival("fine"), limit=9)
    for act in (store.letters.retry, store.letters.drop):
        with pytest.raises(NotFound, match="nothing that is set aside"):
            await act(accepted.event.id, at=LATER)
    assert (await store.ledger.counts()).open == 1


async def test_an_id_that_fits_several_is_refused(store: SqliteStore) -> None:
    turn = await set_aside_message(store)
    await set_aside_reply(store)
    with pytest.raises(NotFound, match="several"):
        await store.letters.drop(turn.event.id[:3], at=LATER)
    with pytest.raises(NotFound):
        await store.letters.drop("", at=LATER)
