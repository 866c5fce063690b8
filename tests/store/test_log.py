"""The log by session: what is filed and what is not yet read as one."""

import sqlite3
from collections import defaultdict
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from picklebot.core.source import Source
from picklebot.store.crowds import accept_all
from picklebot.store.database import PlainDatabase, connect
from picklebot.store.events import SqliteLog
from picklebot.store.migrate import migrate, migrations
from tests.store.conftest import arrival

FILED = 24  #: the migration from which on the log is filed
SESSIONS = "SELECT session_id, seq FROM events ORDER BY seq"


def fill(connection: sqlite3.Connection, messages: int, *, rng: Random) -> None:
    """Let a few people speak, one by one and in crowds."""
    said = 0
    connection.execute("BEGIN IMMEDIATE")
    while said < messages:
        crowd = min(rng.choice((1, 1, 5, 8, 32, 45)), messages - said)
        offers = [
            (arrival(key=f"{said}-{n}", source=Source("fake", (str(rng.randrange(9)),))), 1 << 20) for n in range(crowd)
        ]
        accept_all(connection, offers)
        said += crowd
    connection.execute("COMMIT")


def by_session(connection: sqlite3.Connection) -> dict[str, list[int]]:
    """Return the seqs of each session, read from the log itself."""
    seqs: dict[str, list[int]] = defaultdict(list)
    for session_id, seq in connection.execute(SESSIONS):
        seqs[session_id].append(seq)
    return seqs


@pytest.mark.parametrize("messages", [3, 1_000, 1_023, 1_024, 3_500])
async def test_a_session_is_read_whole_and_in_order(tmp_path: Path, messages: int) -> None:
    with closing(connect(tmp_path / "a.db")) as connection:
        migrate(connection, tmp_path / "a.db")
        fill(connection, messages, rng=Random(messages))
        log = SqliteLog(PlainDatabase(connection))
        for session_id, seqs in by_session(connection).items():
            assert [seq for seq, _ in await log.after(0, session_id=session_id, limit=messages)] == seqs
            middle = len(seqs) // 2
            found = await log.after(seqs[middle], session_id=session_id, limit=2)
            assert [seq for seq, _ in found] == seqs[middle + 1 : middle + 3]


def test_full_segments_are_filed_and_only_they(tmp_path: Path) -> None:
    with closing(connect(tmp_path / "a.db")) as connection:
        migrate(connection, tmp_path / "a.db")
        fill(connection, 3_500, rng=Random(7))
        [filed, segments] = connection.execute("SELECT count(*), max(segment) + 1 FROM filed").fetchone()
        assert (filed, segments) == (3 * 1_024 - 1, 3)  # seqs begin at 1


def test_a_log_from_before_is_filed_when_it_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    with closing(connect(path)) as connection:
        for number, _, sql in migrations():
            if number < FILED:
                connection.executescript(f"BEGIN;{sql}PRAGMA user_version = {number};COMMIT;")
        connection.execute(
            """WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n WHERE value < 2500)
            INSERT INTO events SELECT value, 'e' || value, 'InboundEvent', 's' || value % 3, 'fake:ann', NULL, value, '{}'
            FROM n"""
        )
        migrate(connection, path)
        assert connection.execute("SELECT count(*) FROM filed").fetchone() == (2 * 1_024 - 1,)
        for session_id, seqs in by_session(connection).items():
            found = connection.execute(
                "SELECT seq FROM session_events WHERE session_id = ? ORDER BY seq", (session_id,)
            )
            assert [seq for (seq,) in found] == seqs
