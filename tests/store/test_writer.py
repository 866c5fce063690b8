"""The group commit: order, isolation, and what happens when the disk says no."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from picklebot.errors import NotFound, StoreError, StoreFull
from picklebot.store.database import connect
from picklebot.store.units import OneOfMany, Unit
from picklebot.store.writer import Writer


@asynccontextmanager
async def writing(path: Path, *, setup: str = "") -> AsyncIterator[tuple[Writer, list[str]]]:
    broken: list[str] = []

    connection = connect(path)
    connection.executescript(f"CREATE TABLE IF NOT EXISTS t (x); {setup}")
    writer = Writer(connection, on_broken=lambda: broken.append("broken"))
    running = asyncio.create_task(writer.run())
    yield writer, broken
    writer.close()
    await running
    connection.close()


def insert(value: object) -> Unit[sqlite3.Cursor]:
    return lambda connection: connection.execute("INSERT INTO t VALUES (?)", (value,))


def rows(path: Path) -> list[object]:
    connection = connect(path)
    try:
        return [row[0] for row in connection.execute("SELECT x FROM t ORDER BY rowid")]
    finally:
        connection.close()


async def test_units_take_effect_in_the_order_they_were_given(tmp_path: Path) -> None:
    async with writing(tmp_path / "a.db") as (writer, _):
        await asyncio.gather(*(writer.write(insert(n)) for n in range(500)))
    assert rows(tmp_path / "a.db") == list(range(500))


async def test_a_unit_that_fails_spares_the_rest_of_its_group(tmp_path: Path) -> None:
    def refused(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO t VALUES ('half done')")
        raise NotFound("no such thing")

    async with writing(tmp_path / "a.db") as (writer, broken):
        outcomes = await asyncio.gather(
            writer.write(insert(1)),
            writer.write(refused),
            writer.write(insert(2)),
            return_exceptions=True,
        )
        assert isinstance(outcomes[1], NotFound)
        assert not broken
    assert rows(tmp_path / "a.db") == [1, 2]


def insert_all(connection: sqlite3.Connection, values: Sequence[object]) -> list[int]:
    connection.executemany("INSERT INTO t VALUES (?)", [(value,) for value in values])
    if "no" in values:
        raise NotFound("no such thing")
    return [len(values)] * len(values)


async def test_units_of_one_kind_that_stand_in_a_row_run_together_and_in_their_place(tmp_path: Path) -> None:
    async with writing(tmp_path / "a.db") as (writer, _):
        units: list[Unit[object]] = [*(OneOfMany(n, insert_all) for n in (1, 2)), insert(3), OneOfMany(4, insert_all)]
        outcomes = await asyncio.gather(*(writer.write(unit) for unit in units))
        assert [n for n in outcomes if isinstance(n, int)] == [2, 2, 1]
    assert rows(tmp_path / "a.db") == [1, 2, 3, 4]


async def test_one_of_many_that_fails_spares_the_others(tmp_path: Path) -> None:
    async with writing(tmp_path / "a.db") as (writer, _):
        units = [OneOfMany(value, insert_all) for value in (1, "no", 2)]
        outcomes = await asyncio.gather(*(writer.write(unit) for unit in units), return_exceptions=True)
        assert outcomes[::2] == [1, 1]
        assert isinstance(outcomes[1], NotFound)
    assert rows(tmp_path / "a.db") == [1, 2]


async def test_a_cancelled_caller_leaves_the_commit_alone(tmp_path: Path) -> None:
    async with writing(tmp_path / "a.db") as (writer, _):
        task = asyncio.create_task(writer.write(insert(1)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await writer.write(insert(2))
    assert rows(tmp_path / "a.db") == [1, 2]


async def test_a_full_disk_refuses_and_the_writer_goes_on(tmp_path: Path) -> None:
    async with writing(tmp_path / "a.db", setup="PRAGMA max_page_count = 8") as (writer, broken):
        await writer.write(insert("small"))
        with pytest.raises(StoreFull):
            await writer.write(insert("x" * 100_000))
        await writer.write(insert("small again"))
        assert "full" in str(writer.room.missing), "what is small says nothing of what is not"
        assert not broken
    assert rows(tmp_path / "a.db") == ["small", "small again"]


async def test_a_broken_database_fails_everyone_and_says_so_once(tmp_path: Path) -> None:
    def gone(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO missing VALUES (1)")

    async with writing(tmp_path / "a.db") as (writer, broken):
        outcomes = await asyncio.gather(
            writer.write(gone),
            writer.write(insert(1)),
            return_exceptions=True,
        )
        assert all(isinstance(outcome, StoreError) for outcome in outcomes)
        await asyncio.sleep(0)
        assert broken == ["broken"]
        with pytest.raises(StoreError, match="closed"):
            await writer.write(insert(2))
    assert rows(tmp_path / "a.db") == []


async def test_a_bug_in_a_unit_fails_who_waits_and_comes_out_at_the_end(tmp_path: Path) -> None:
    def buggy(connection: sqlite3.Connection) -> None:
        raise ZeroDivisionError

    async def meet_it() -> None:
        async with writing(tmp_path / "a.db") as (writer, broken):
            with pytest.raises(StoreError, match="crashed the writer"):
                await writer.write(buggy)
            await asyncio.sleep(0)
            assert broken == ["broken"]

    with pytest.raises(ZeroDivisionError):
        await meet_it()
    assert rows(tmp_path / "a.db") == []


class Poor(sqlite3.Connection):
    """Has no memory left for a commit."""

    def execute(self, sql: str, parameters: object = (), /) -> sqlite3.Cursor:
        if sql == "COMMIT":
            raise MemoryError
        return super().execute(sql, parameters)  # type: ignore[arg-type]


async def test_nobody_waits_for_a_commit_that_had_no_memory(tmp_path: Path) -> None:
    broken: list[str] = []
    connection = sqlite3.connect(tmp_path / "a.db", isolation_level=None, check_same_thread=False, factory=Poor)
    connection.execute("CREATE TABLE t (x)")
    writer = Writer(connection, on_broken=lambda: broken.append("broken"))
    running = asyncio.create_task(writer.run())
    with pytest.raises(StoreError):
        await asyncio.wait_for(writer.write(insert(1)), 10)
    with pytest.raises(MemoryError):
        await running
    assert broken == ["broken"]
    connection.close()


async def test_nobody_waits_for_a_writer_that_was_cancelled_after_all(tmp_path: Path) -> None:
    connection = connect(tmp_path / "a.db")
    writer = Writer(connection, on_broken=lambda: None)
    running = asyncio.create_task(writer.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.wait({running})
    with pytest.raises(StoreError, match="closed"):
        writer.submit(insert(1))
    connection.close()


async def test_a_lock_held_by_another_process_is_waited_for_and_does_not_hold_the_loop(tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    async with writing(path, setup="PRAGMA busy_timeout = 0") as (writer, _):
        other = connect(path)
        other.execute("BEGIN IMMEDIATE")
        late = asyncio.create_task(writer.write(insert(1)))
        await asyncio.sleep(0.05)
        assert not late.done()
        other.execute("ROLLBACK")
        other.close()
        await asyncio.wait_for(late, 10)
    assert rows(path) == [1]
