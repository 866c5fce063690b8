"""The store's contract runs over both databases: the daemon's and the plain one."""

import sqlite3
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.database import PlainDatabase, connect
from picklebot.store.migrate import migrate
from picklebot.store.sqlite import SqliteStore, open_store

NOW = datetime(2030, 1, 1, tzinfo=UTC)
ANN = Source("fake", ("ann",))


def arrival(content: str = "hi", *, key: str = "k1", source: Source = ANN, **wishes: object) -> Arrival:
    """Return a message at the door."""
    fields: dict[str, object] = {"agent_id": "echo", "at": NOW, **wishes}
    return Arrival(source=source, content=content, key=key, **fields)  # type: ignore[arg-type]


@pytest.fixture(params=["daemon", "plain"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """A fresh store, once over each kind of database."""
    path = tmp_path / "picklebot.db"
    if request.param == "daemon":
        async with open_store(path) as opened:
            yield opened
    else:
        connection: sqlite3.Connection = connect(path)
        migrate(connection, path)
        yield SqliteStore.over(PlainDatabase(connection))
        connection.close()
