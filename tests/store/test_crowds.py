"""Many messages that come at once leave what they leave one by one."""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from picklebot.core.source import Source
from picklebot.errors import QueueFull
from picklebot.store.arrivals import accept
from picklebot.store.base import Acceptance, Arrival
from picklebot.store.crowds import SIZES, accept_all
from picklebot.store.database import DaemonDatabase, connect, open_database
from picklebot.store.inbox import SqliteInbox
from picklebot.store.migrate import migrate
from tests.store.conftest import arrival

PEOPLE = [Source("fake", (name,)) for name in ("ann", "ben", "cyd", "dan")]
TABLES = {
    "events": "seq, kind, session_id, source, created_at, body FROM events ORDER BY seq",
    "inbox": "seq, channel, key, session_id, agent_id, state FROM inbox ORDER BY seq",
    "sessions": "id, agent_id, source, title, created_at FROM sessions ORDER BY id",
    "affinity": "source, session_id FROM affinity ORDER BY source",
}


def offers(rng: Random, count: int) -> list[tuple[Arrival, int]]:
    """Return messages of a few people, most of them plain, some with wishes, twice the same or too many."""
    made: list[tuple[Arrival, int]] = []
    for n in range(count):
        key = f"k{rng.randrange(n) if n and rng.random() < 0.03 else n}"
        wish: dict[str, object] = rng.choice(
            [{}] * 40 + [{"new_session": True}, {"pinned": True, "agent_id": "scout"}, {"session_id": "nowhere"}]
        )
        limit = rng.choice([1000] * 20 + [rng.randrange(1, 40)])
        made.append((arrival(f"message {n}", key=key, source=rng.choice(PEOPLE), **wish), limit))
    return made


def left(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Return the rows that were left, each session by the number in which it was first seen."""
    with closing(sqlite3.connect(path)) as connection:
        known = {row[0]: n for n, row in enumerate(connection.execute("SELECT id FROM sessions ORDER BY id"))}
        found = {table: connection.execute(f"SELECT {sql}").fetchall() for table, sql in TABLES.items()}
    return {
        table: [tuple(known.get(str(value), value) for value in row) for row in rows] for table, rows in found.items()
    }


def told(outcome: Acceptance | BaseException) -> object:
    """Return what the sender hears, but for the ids."""
    return (outcome.seq, outcome.duplicate) if isinstance(outcome, Acceptance) else repr(outcome)


async def one_by_one(database: DaemonDatabase, messages: Sequence[tuple[Arrival, int]]) -> list[object]:
    inbox = SqliteInbox(database)
    return [
        told((await asyncio.gather(inbox.accept(each, limit=limit), return_exceptions=True))[0])
        for each, limit in messages
    ]


@pytest.mark.parametrize("seed", range(12))
async def test_a_crowd_leaves_the_rows_and_hears_the_words_that_it_would_one_by_one(tmp_path: Path, seed: int) -> None:
    rng = Random(seed)
    messages = offers(rng, 300)
    async with open_database(tmp_path / "alone.db") as alone, open_database(tmp_path / "crowd.db") as crowd:
        expected = await one_by_one(alone, messages)
        heard: list[object] = []
        inbox = SqliteInbox(crowd)
        while messages:
            size = rng.choice([3, 9, 33, 90])
            some, messages = messages[:size], messages[size:]
            outcomes = await asyncio.gather(
                *(inbox.accept(each, limit=limit) for each, limit in some), return_exceptions=True
            )
            heard += [told(outcome) for outcome in outcomes]
    assert heard == expected
    assert left(tmp_path / "crowd.db") == left(tmp_path / "alone.db")


@pytest.fixture
def count(tmp_path: Path) -> Callable[[Sequence[tuple[Arrival, int]]], int]:
    """Count the statements that a crowd takes."""
    connection = connect(tmp_path / "counted.db")
    migrate(connection, tmp_path / "counted.db")
    for person in PEOPLE:
        accept(connection, arrival(key=f"first of {person}", source=person), limit=9)
    seen: list[str] = []

    def counted(messages: Sequence[tuple[Arrival, int]]) -> int:
        seen.clear()
        connection.set_trace_callback(lambda sql: seen.append(sql) if sql.startswith(("INSERT", "WITH")) else None)
        accept_all(connection, messages)
        connection.set_trace_callback(None)
        return len(seen)

    return counted


def test_a_crowd_shares_its_statements(count: Callable[[Sequence[tuple[Arrival, int]]], int]) -> None:
    plain = [(arrival(key=f"k{n}", source=PEOPLE[n % 4]), 1000) for n in range(SIZES[0])]
    assert count(plain) == 3


@pytest.mark.parametrize(
    "odd",
    [
        {"key": "first of fake:ann"},
        {"key": "k1"},
        {"new_session": True},
        {"pinned": True, "agent_id": "scout"},
        {"source": Source("fake", ("stranger",))},
    ],
    ids=["seen before", "twice in it", "new session", "pinned", "stranger"],
)
def test_a_crowd_with_an_odd_one_is_taken_one_by_one(
    count: Callable[[Sequence[tuple[Arrival, int]]], int], odd: dict[str, object]
) -> None:
    plain = [(arrival(key=f"k{n}", source=PEOPLE[n % 4]), 1000) for n in range(SIZES[0] - 1)]
    assert count([*plain, (arrival(**{"key": "odd", **odd}), 1000)]) > 2 * SIZES[0] - 3  # type: ignore[arg-type]


async def test_a_session_that_fills_up_within_a_crowd_refuses_the_rest_of_it(tmp_path: Path) -> None:
    async with open_database(tmp_path / "a.db") as database:
        inbox = SqliteInbox(database)
        await inbox.accept(arrival(key="first"), limit=20)
        crowd = [inbox.accept(arrival(key=f"k{n}"), limit=20) for n in range(SIZES[0])]
        outcomes = await asyncio.gather(*crowd, return_exceptions=True)
        assert [isinstance(outcome, QueueFull) for outcome in outcomes] == [False] * 19 + [True] * (SIZES[0] - 19)
