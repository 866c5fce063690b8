"""Where somebody spoke last, whatever was said elsewhere since."""

from picklebot.core.source import Source
from picklebot.store.sqlite import SqliteStore
from picklebot.workers.places import Places
from tests.store.conftest import ANN, NOW, arrival

CLI, WEB = Source("cli", ("olga",)), Source("ws", ("web",))


async def test_the_owner_is_where_they_spoke_last(store: SqliteStore) -> None:
    places = Places(store.places)
    assert await places.last() is None
    assert await places.main_session("echo") is None
    await store.inbox.accept(arrival(key="1"), limit=9)
    assert await places.last() is None
    first = await store.inbox.accept(arrival(key="2", source=CLI), limit=9)
    other = await store.inbox.accept(arrival(key="3", source=WEB, agent_id="scout"), limit=9)
    await store.inbox.accept(
        arrival(key="4", source=Source("task", ("1",)), session_id=first.event.session_id), limit=9
    )
    await store.inbox.accept(arrival(key="5"), limit=9)
    assert await places.last() == WEB
    assert await places.main_session("echo") == first.event.session_id
    assert await places.main_session("scout") == other.event.session_id


async def test_other_channels_may_be_the_owners(store: SqliteStore) -> None:
    await store.inbox.accept(arrival(key="1"), limit=9)
    places = Places(store.places, channels={"fake"})
    assert places.is_owner(ANN)
    assert not places.is_owner(CLI)
    assert await places.last() == ANN


async def test_a_session_is_busy_until_its_messages_are_answered(store: SqliteStore) -> None:
    accepted = await store.inbox.accept(arrival(source=CLI), limit=9)
    assert await store.places.busy(accepted.event.session_id)
    reply = await store.inbox.answer(arrival(key="k2", source=WEB, at=NOW), "done")
    assert reply is not None
    assert not await store.places.busy(reply.session_id)
