"""What became of a message, for whoever comes back to ask."""

from datetime import timedelta

import pytest

from picklebot.clock import SystemClock
from picklebot.core.source import Source
from picklebot.errors import NotFound
from picklebot.store.sqlite import SqliteStore
from tests.cli.running import ANN, accept, begin, conversation

NOW = SystemClock().now()


async def test_a_message_is_open_until_it_is_answered(store: SqliteStore) -> None:
    waiting = await accept(store, "later", key="k0", source=Source("telegram", ("1", "1")))
    fate = await store.fates.of(waiting.event.id, NOW)
    assert (fate.state, fate.over, fate.reply) == ("open", False, "")
    turn = await conversation(store)
    fate = await store.fates.of(turn.id, NOW)
    assert (fate.state, fate.over, fate.reply, fate.error) == ("done", True, "Two files.", None)


async def test_a_message_that_was_put_off_is_parked_until_then(store: SqliteStore) -> None:
    turn, until = await begin(store, "hi", key="k1"), SystemClock().now() + timedelta(hours=1)
    await store.inbox.defer(turn, until=until, why="the model is away", kind="ModelUnavailable", notice=None)
    fate = await store.fates.of(turn.id, SystemClock().now())
    assert (fate.state, fate.over, fate.error, fate.kind) == ("parked", False, "the model is away", "ModelUnavailable")
    assert fate.until == until
    assert (await store.fates.of(turn.id, until + timedelta(seconds=1))).state == "open"


async def test_a_message_that_was_set_aside_is_over(store: SqliteStore) -> None:
    turn = await begin(store, "hi", key="k1")
    await store.inbox.bury(turn, error="poison", notice=None)
    fate = await store.fates.of(turn.id, NOW)
    assert (fate.state, fate.over, fate.error, fate.kind) == ("dead", True, "poison", "Poison")


async def test_a_message_that_is_not_there_has_none(store: SqliteStore) -> None:
    with pytest.raises(NotFound, match="no message has the id 'nothing'"):
        await store.fates.of("nothing", NOW)


async def test_a_reply_waits_for_its_reader_until_it_was_shown(store: SqliteStore) -> None:
    await conversation(store)
    [reply] = await store.outbox.waiting(ANN)
    await store.outbox.shown(reply.id, Source("telegram", ("9", "9")), at=NOW)
    assert await store.outbox.waiting(ANN) == [reply]
    await store.outbox.shown(reply.id, ANN, at=NOW)
    assert await store.outbox.waiting(ANN) == []
