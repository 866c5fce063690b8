"""Upgrades cannot destroy (P16)."""

import sqlite3
from pathlib import Path

import pytest

from picklebot.errors import StoreError
from picklebot.store.database import connect
from picklebot.store.migrate import migrate, migrations
from picklebot.store.sqlite import open_store


def test_a_fresh_database_gets_every_migration(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    migrate(connection, path)
    assert connection.execute("PRAGMA user_version").fetchone()[0] == migrations()[-1][0]
    connection.close()


async def test_a_newer_schema_is_refused_in_words(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    connection.execute("PRAGMA user_version = 9999")
    connection.close()
    with pytest.raises(StoreError, match="schema 9999"):
        async with open_store(path):
            pass


async def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    path.write_bytes(b"not a database at all, but long enough to look like one" * 40)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="cannot be used"):
        async with open_store(path):
            pass
    assert path.read_bytes() == before


def test_a_migration_that_fails_leaves_the_schema_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    connection = connect(path)
    connection.execute("CREATE TABLE sessions (x)")  # in the way of the first migration, after its first table
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, path)
    connection.close()
    connection = connect(path)
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    assert tables == ["sessions"]
    connection.close()
