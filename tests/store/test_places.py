"""Where somebody spoke last, whatever was said elsewhere since."""

import sqlite3
from pathlib import Path

from picklebot.core.source import Source
from picklebot.store.arrivals import accept
from picklebot.store.database import PlainDatabase, connect
from picklebot.store.migrate import migrate
from picklebot.store.places import SqlitePlaces
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


async def test_where_somebody_spoke_last_is_found_however_much_others_said_since(tmp_path: Path) -> None:
    connection = connect(tmp_path / "picklebot.db")
    migrate(connection, tmp_path / "picklebot.db")
    spoke = accept(connection, arrival(source=ANN), limit=9).event
    _let_others_speak(connection, 3_000)
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    connection.set_progress_handler(step, 10)
    places = SqlitePlaces(PlainDatabase(connection))
    assert await places.last_source((), [ANN]) == ANN
    assert await places.last_session((), "echo", [ANN]) == spoke.session_id
    connection.close()
    assert steps * 10 < 3_000, "what others said is not looked through"


def _let_others_speak(connection: sqlite3.Connection, messages: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    for number in range(messages):
        accept(connection, arrival(key=f"o{number}", source=Source("fake", (str(number % 7),))), limit=messages)
    connection.execute("COMMIT")
