"""Every released schema can be brought up to date, with a copy kept first (P16)."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from picklebot.store import snapshot
from picklebot.store.database import connect
from picklebot.store.migrate import migrate, migrations
from picklebot.store.sqlite import open_store

FIRST = """
INSERT INTO sessions (id, agent_id, source, title, created_at, updated_at) VALUES ('s1', 'echo', 'fake:ann', 'hi', 1, 1);
INSERT INTO events VALUES (1, 'e1', 'InboundEvent', 's1', 'fake:ann', NULL, 1,
    '{"agent_id": "echo", "content": "hi", "key": "k1"}');
INSERT INTO inbox (seq, channel, key, session_id, agent_id, state) VALUES (1, 'fake', 'k1', 's1', 'echo', 'done');
INSERT INTO turns VALUES (1, 'done', NULL, 1, 2);
INSERT INTO events VALUES (2, 'e2', 'OutboundEvent', 's1', 'fake:ann', 'e1', 2,
    '{"content": "hello", "to": "fake:ann", "error": null, "part": 0}');
INSERT INTO events VALUES (3, 'e3', 'OutboundEvent', 's1', 'fake:ann', 'e1', 3,
    '{"content": "more", "to": "fake:ann", "error": null, "part": 1}');
INSERT INTO outbox VALUES (2, 'fake', 'fake:ann', 'acked', 1, 2, 0, NULL, 'r', 5);
INSERT INTO outbox VALUES (3, 'fake', 'fake:ann', 'dead', 0, 7, 9, 'gone', NULL, 6);
"""


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A database as the first schema left it."""
    path = tmp_path / "picklebot.db"
    number, _, sql = migrations()[0]
    with closing(connect(path)) as connection:
        connection.executescript(f"BEGIN;{sql}{FIRST}PRAGMA user_version = {number};COMMIT;")
    return path


def outbox(path: Path) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT seq, state, unknown, attempts, not_before, error, receipt, settled_at FROM outbox ORDER BY seq"
        ).fetchall()


async def test_the_first_schema_is_brought_up_to_date_and_loses_nothing(first: Path) -> None:
    before = outbox(first)
    async with open_store(first) as store:
        [letter] = await store.letters.dead()
        assert (letter.event.id, letter.error, letter.content) == ("e3", "gone", "more")
        await store.letters.drop("e3", at=letter.event.created_at)
        assert (await store.ledger.counts()).accepted == 1
    assert outbox(first)[0] == before[0]
    assert outbox(first)[1][:2] == (3, "dropped")
    snapshot.inspect(first)


def test_a_copy_from_before_the_upgrade_is_kept(first: Path) -> None:
    before = outbox(first)
    with closing(connect(first)) as connection:
        migrate(connection, first)
    [copy] = first.parent.glob("*.before-*")
    assert outbox(copy) == before
    with closing(sqlite3.connect(copy)) as connection:
        assert connection.execute("PRAGMA user_version").fetchone() == (1,)


def test_an_upgrade_that_is_cut_short_leaves_the_first_schema(first: Path) -> None:
    before = outbox(first)
    with closing(connect(first)) as connection:
        connection.execute("CREATE TABLE outbox_anew (x)")  # in the way of the second migration
        with pytest.raises(sqlite3.OperationalError):
            migrate(connection, first)
    assert outbox(first) == before


def test_upgraded_and_fresh_databases_have_one_schema(first: Path, tmp_path: Path) -> None:
    fresh = tmp_path / "fresh.db"
    schemas: list[set[object]] = []
    for path in (first, fresh):
        with closing(connect(path)) as connection:
            migrate(connection, path)
            found = connection.execute("SELECT name, replace(sql, '\"', '') FROM sqlite_master WHERE sql NOT NULL")
            schemas.append(set(found))
    assert schemas[0] == schemas[1]
