"""A full disk: refuse what is new, finish what was accepted, go on by itself (P14)."""

import asyncio
import sqlite3
from pathlib import Path

import pytest

from picklebot.errors import StoreFull
from picklebot.store.ballast import Ballast
from picklebot.store.base import Conclusion
from picklebot.store.database import DaemonDatabase, connect
from picklebot.store.sqlite import SqliteStore, open_store
from tests.store.conftest import NOW, arrival


def test_ballast_is_taken_once_and_given_up_once(tmp_path: Path) -> None:
    ballast = Ballast(tmp_path / "ballast", size=4096)
    ballast.take()
    ballast.take()
    assert (tmp_path / "ballast").stat().st_size == 4096
    assert ballast.drop()
    assert not ballast.drop()


def test_no_ballast_is_taken_where_there_is_little_room(tmp_path: Path) -> None:
    Ballast(tmp_path / "ballast", size=1 << 50).take()
    assert not (tmp_path / "ballast").exists()


def test_a_folder_that_cannot_be_written_costs_only_the_ballast(tmp_path: Path) -> None:
    Ballast(tmp_path / "missing" / "ballast", size=4096).take()


async def test_on_a_full_disk_new_messages_are_refused_and_old_ones_finished_when_there_is_room(
    tmp_path: Path,
) -> None:
    path = tmp_path / "picklebot.db"
    async with open_store(path) as store:
        accepted = await store.inbox.accept(arrival(), limit=9)
        turn = await store.inbox.begin(accepted.event.session_id, NOW)
        assert turn is not None
        pages = await _pages(store)
        await _allow(store, pages)
        with pytest.raises(StoreFull):
            await _fill(store)
        late = asyncio.create_task(
            store.turns.finish(
                Conclusion(turn=turn, outcome="done", messages=[], outbound=[], at=NOW, error="x" * 9000)
            )
        )
        await asyncio.sleep(0.1)
        assert not late.done(), "it waits for room and fails nobody"
        await _allow(store, 1 << 30)
        await asyncio.wait_for(late, 10)
        counts = await store.ledger.counts()
        assert counts.accepted == counts.done + counts.failed + counts.dead + counts.open
        assert counts.done == 1
    connection = connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


async def _fill(store: SqliteStore) -> None:
    for n in range(1000):
        await store.inbox.accept(arrival("x" * 4000, key=f"k{n}"), limit=9999)


async def _pages(store: SqliteStore) -> int:
    return int((await store.log._database.fetch("PRAGMA page_count"))[0][0])


async def _allow(store: SqliteStore, pages: int) -> None:
    """Let the database have so many pages: what a disk of that size would do."""
    database = store.log._database
    assert isinstance(database, DaemonDatabase)

    def unit(connection: sqlite3.Connection) -> None:
        connection.execute(f"PRAGMA max_page_count = {pages}")

    await database.write(unit)
