"""Where somebody spoke last, whatever was said elsewhere since."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from picklebot.core.source import Source
from picklebot.store.arrivals import accept
from picklebot.store.crowds import accept_all
from picklebot.store.database import PlainDatabase, connect
from picklebot.store.migrate import migrate
from picklebot.store.places import SqlitePlaces
from picklebot.store.sqlite import SqliteStore
from picklebot.workers.places import Places
from tests.store.conftest import ANN, NOW, arrival

MUCH = 5 * 1_024 + 10  #: messages: full segments of the log, and a little that is not filed yet
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
    with closing(connect(tmp_path / "picklebot.db")) as connection:
        migrate(connection, tmp_path / "picklebot.db")
        spoke = accept(connection, arrival(source=ANN), limit=9).event
        _let_others_speak(connection, MUCH)
        places, steps = SqlitePlaces(PlainDatabase(connection)), counted(connection)
        assert await places.last_source((), [ANN]) == ANN
        assert await places.last_session((), "echo", [ANN]) == spoke.session_id
        assert steps() < 2_000, "only what is not filed yet is looked through"


async def test_the_log_is_looked_through_once(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "picklebot.db")) as connection:
        migrate(connection, tmp_path / "picklebot.db")
        spoke = accept(connection, arrival(source=CLI), limit=9).event
        _let_others_speak(connection, MUCH)
        places, steps = SqlitePlaces(PlainDatabase(connection)), counted(connection)
        assert await places.last_source(["cli", "ws"]) == CLI
        assert steps() > MUCH
        assert await places.last_session(["cli", "ws"], "echo") == spoke.session_id
        assert await places.last_session(["cli", "ws"], "scout") is None
        accept(connection, arrival(key="web", source=WEB), limit=9)
        assert await places.last_source(["cli", "ws"]) == WEB
        assert await places.last_source(["fake"]) == Source("fake", (str((MUCH - 1) % 7),))
        assert steps() < 1_000


def counted(connection: sqlite3.Connection) -> Callable[[], int]:
    """Return what tells how many steps the database took since it was asked last."""
    tens = 0

    def step() -> None:
        nonlocal tens
        tens += 1

    def since() -> int:
        nonlocal tens
        steps, tens = tens * 10, 0
        return steps

    connection.set_progress_handler(step, 10)
    return since


def _let_others_speak(connection: sqlite3.Connection, messages: int) -> None:
    connection.execute("BEGIN IMMEDIATE")
    offers = [
        (arrival(key=f"o{number}", source=Source("fake", (str(number % 7),))), messages) for number in range(messages)
    ]
    for start in range(0, messages, 32):
        accept_all(connection, offers[start : start + 32])
    connection.execute("COMMIT")
