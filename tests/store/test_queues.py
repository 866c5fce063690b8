"""What is on its way, as the flow of the web page shows it."""

from datetime import timedelta

from picklebot.core.events import OutboundEvent
from picklebot.core.source import Source
from picklebot.store.sqlite import SqliteStore
from tests.store.conftest import ANN, NOW, arrival
from tests.store.test_joined import ask, begin

BOB = Source("fake", ("bob",))


async def test_each_open_message_says_whether_it_runs_waits_is_parked_or_joined(store: SqliteStore) -> None:
    session = await ask(store, "a", "b")
    await begin(store, session)
    await ask(store, "c")
    parked = await store.inbox.accept(arrival("p", key="p", source=BOB), limit=9)
    turn = await begin(store, parked.event.session_id, joining=False)
    later = NOW + timedelta(minutes=5)
    await store.inbox.defer(turn, until=later, why="the model is overloaded", notice=None)
    ann, bob = await store.queues.sessions(9)
    assert (ann.session_id, ann.agent_id, ann.source) == (session, "echo", ANN)
    assert [(each.content, each.state) for each in ann.messages] == [
        ("a", "running"),
        ("b", "joined"),
        ("c", "waiting"),
    ]
    [waiting] = bob.messages
    assert (waiting.state, waiting.until, waiting.why) == ("parked", later, "the model is overloaded")


async def test_no_more_is_read_than_was_asked_for(store: SqliteStore) -> None:
    await ask(store, "a", "b", "c")
    [queue] = await store.queues.sessions(2)
    assert [each.content for each in queue.messages] == ["a", "b"]


async def test_replies_are_shown_until_they_are_delivered(store: SqliteStore) -> None:
    session = await ask(store, "a")
    turn = await begin(store, session)
    notice = OutboundEvent(session_id=session, source=ANN, to=ANN, cause_id=turn.id, content="set aside")
    await store.inbox.bury(turn, error="it never ended", notice=notice)
    [reply] = await store.queues.undelivered(9)
    assert (reply.event.content, reply.state) == ("set aside", "pending")
    [sent] = await store.outbox.claim("fake", NOW, limit=1)
    assert [each.state for each in await store.queues.undelivered(9)] == ["sending"]
    await store.outbox.ack(sent, receipt="r1", at=NOW)
    assert await store.queues.undelivered(9) == []
    assert await store.queues.sessions(9) == []
