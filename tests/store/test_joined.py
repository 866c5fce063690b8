"""Messages that join the turn of another one: in order, once, and free again where they are not answered with it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC

from picklebot.core.events import OutboundEvent
from picklebot.core.journal import RecordedStep
from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply
from picklebot.core.source import Source
from picklebot.store.base import Conclusion, Joined, Turn
from picklebot.store.sqlite import SqliteStore
from picklebot.workers.company import joining_in
from tests.store.conftest import NOW, arrival

JOINING = joining_in(UTC)


async def ask(store: SqliteStore, *keys: str) -> str:
    """Accept messages of Ann; return their session."""
    session = ""
    for key in keys:
        session = (await store.inbox.accept(arrival(key, key=key), limit=99)).event.session_id
    return session


async def begin(store: SqliteStore, session: str, *, alone: bool = False, joining: bool = True) -> Turn:
    turn = await store.inbox.begin(session, NOW, alone=alone, joining=JOINING if joining else None)
    assert turn is not None
    return turn


async def step(store: SqliteStore, turn: Turn, n: int = 0) -> None:
    recorded = RecordedStep(n=n, reply=ModelReply(message=Message.assistant("hm"), stop_reason="x"), cost_usd=None)
    await store.turns.record_step(turn, recorded, [], opening=Message.user("hi"), at=NOW)


def keys(joined: Sequence[Joined]) -> list[str]:
    return [each.event.key for each in joined]


async def test_what_waits_joins_in_order_and_joins_once(store: SqliteStore) -> None:
    session = await ask(store, "a", "b", "c")
    turn = await begin(store, session)
    assert keys(turn.joined) == ["b", "c"]
    await ask(store, "d")
    assert keys(await store.turns.take_in(turn, 1, JOINING)) == ["d"]
    assert keys(await store.turns.take_in(turn, 2, JOINING)) == []
    again = await begin(store, session)
    assert [(each.event.key, each.step) for each in again.joined] == [("b", 0), ("c", 0), ("d", 1)]


async def test_nothing_joins_a_turn_of_a_job_and_a_job_joins_none(store: SqliteStore) -> None:
    session = await ask(store, "a")
    job = arrival("j", key="j", source=Source("heartbeat", ("echo",)), session_id=session)
    await store.inbox.accept(job, limit=9)
    await ask(store, "b")
    turn = await begin(store, session)
    assert turn.joined == ()
    await store.turns.finish(Conclusion(turn=turn, outcome="done", messages=[], outbound=[], at=NOW))
    turn = await begin(store, session)
    assert (turn.event.key, turn.joined) == ("j", ())


async def test_a_suspect_is_begun_alone_and_what_joined_it_is_free(store: SqliteStore) -> None:
    session = await ask(store, "a", "b")
    for _ in range(2):  # two attempts that a crash cut short
        assert keys((await begin(store, session)).joined) == ["b"]
    assert (await begin(store, session)).suspect
    turn = await begin(store, session, alone=True)
    assert (turn.alone, list(turn.joined)) == (True, [])
    await store.inbox.bury(turn, error="poison", notice=_notice(turn))
    assert (await begin(store, session)).event.key == "b"


async def test_a_suspect_keeps_what_had_joined_it_before_it_last_got_on(store: SqliteStore) -> None:
    session = await ask(store, "a", "b")
    turn = await begin(store, session)
    await step(store, turn)
    await ask(store, "c")
    assert keys(await store.turns.take_in(turn, 1, JOINING)) == ["c"]
    for _ in range(2):
        await begin(store, session)
    assert keys((await begin(store, session, alone=True)).joined) == ["b"]


async def test_what_joined_and_was_not_shown_any_more_waits_again(store: SqliteStore) -> None:
    session = await ask(store, "a", "b")
    turn = await begin(store, session, joining=False)
    await store.turns.take_in(turn, 1, JOINING)  # and the turn was cut before it heard of it
    ended = Conclusion(turn=turn, outcome="stopped", messages=[], outbound=[], at=NOW, joined=[])
    assert await store.turns.finish(ended)
    counts = await store.ledger.counts()
    assert (counts.done, counts.open) == (1, 1)
    assert (await begin(store, session)).event.key == "b"


async def test_what_joined_ends_as_its_turn_does(store: SqliteStore) -> None:
    session = await ask(store, "a", "b")
    turn = await begin(store, session)
    assert not await store.turns.finish(
        Conclusion(
            turn=turn,
            outcome="failed",
            messages=[],
            outbound=[],
            at=NOW,
            error="no",
            kind="ModelError",
            joined=turn.joined,
        )
    )
    assert (await store.ledger.counts()).failed == 2
    for event in (turn.event, turn.joined[0].event):
        fate = await store.fates.of(event.id, NOW)
        assert (fate.state, fate.error, fate.kind) == ("failed", "no", "ModelError")


async def test_an_interrupted_turn_is_answered_in_that_of_the_next_message_of_its_source(store: SqliteStore) -> None:
    session = await ask(store, "a")
    bob = arrival("x", key="x", source=Source("fake", ("bob",)), session_id=session)
    await store.inbox.accept(bob, limit=9)
    turn = await begin(store, session, joining=False)
    assert not await store.inbox.overtaken(turn)
    await ask(store, "b")
    assert await store.inbox.overtaken(turn)
    ended = Conclusion(turn=turn, outcome="stopped", messages=[], outbound=[], at=NOW, interrupted=True)
    await store.turns.finish(ended)
    second = await begin(store, session, joining=False)
    assert (second.event.key, second.joined) == ("x", ())
    await store.turns.finish(replace(ended, turn=second, outcome="done", interrupted=False))
    third = await begin(store, session, joining=False)
    assert [(each.event.key, each.step) for each in third.joined] == [("a", None)]
    assert await store.answers.turn_of(turn.id) == third.id


def _notice(turn: Turn) -> OutboundEvent:
    event = turn.event
    return OutboundEvent(
        session_id=event.session_id, source=event.source, to=event.source, cause_id=event.id, content="set aside"
    )
