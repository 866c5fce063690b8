"""The room that the write-ahead log has before anything is committed to it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from picklebot.store.arrivals import accept
from picklebot.store.database import connect, open_database
from picklebot.store.inbox import SqliteInbox
from picklebot.store.migrate import migrate
from picklebot.store.wal import lengthen
from tests.store.conftest import arrival

CHECKPOINT = 1_000 * 4096  #: bytes: as long as SQLite lets a log become, but for the commit that reaches it


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "picklebot.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    opened = connect(path)
    migrate(opened, path)
    yield opened
    opened.close()


def length(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


def test_the_log_has_its_room_and_the_database_is_as_it_was(connection: sqlite3.Connection, path: Path) -> None:
    accept(connection, arrival(), limit=9)
    before = "\n".join(connection.iterdump())
    lengthen(connection, path)
    assert length(path) > CHECKPOINT
    assert "\n".join(connection.iterdump()) == before
    assert connection.execute("PRAGMA cache_size").fetchone() == (-16000,)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_is_committed_afterwards_is_written_over_the_room(connection: sqlite3.Connection, path: Path) -> None:
    lengthen(connection, path)
    room = length(path)
    for number in range(400):  # some three times as many pages as the log has
        accept(connection, arrival(key=str(number)), limit=999)
    assert length(path) == room
    with connect(path, read_only=True) as reader:
        assert reader.execute("SELECT count(*) FROM inbox").fetchone() == (400,)
    reader.close()


def test_a_log_found_after_a_crash_keeps_what_is_in_it(connection: sqlite3.Connection, path: Path) -> None:
    lengthen(connection, path)
    accept(connection, arrival(), limit=9)
    other = path.with_name("other.db")
    for suffix in ("", "-wal"):  # as a crash leaves them: nothing is closed
        other.with_name(f"{other.name}{suffix}").write_bytes(path.with_name(f"{path.name}{suffix}").read_bytes())
    found = connect(other)
    lengthen(found, other)
    assert found.execute("SELECT count(*) FROM inbox").fetchone() == (1,)
    found.close()


def test_a_database_that_another_writes_to_is_left_as_it_is(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("BEGIN IMMEDIATE")
    other = connect(path)
    other.execute("PRAGMA busy_timeout = 0")
    lengthen(other, path)
    other.close()
    connection.execute("ROLLBACK")
    assert length(path) < CHECKPOINT


async def test_a_daemon_that_stays_has_it_and_keeps_what_it_accepts(path: Path) -> None:
    async with open_database(path, stays=True) as database:
        assert length(path) > CHECKPOINT
        await SqliteInbox(database).accept(arrival(), limit=9)
    async with open_database(path) as database:
        await SqliteInbox(database).accept(arrival(key="k2"), limit=9)
        assert await database.fetch("SELECT count(*) FROM inbox") == [(2,)]
        assert length(path) < CHECKPOINT, "who goes again leaves it short"
