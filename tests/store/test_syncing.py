"""The thread that waits for the disk: the loop stands still for a quick one, and for a slow one only for a moment."""

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from picklebot.store.database import connect
from picklebot.store.syncing import CommitThread

LONG = 30.0  #: seconds after which a disk that nobody lets go on does so by itself, and fails the test


class Disk:
    """A database whose commits take as long as the test says."""

    def __init__(self, path: Path) -> None:
        self.connection = connect(path)
        self.connection.execute("CREATE TABLE t (x)")
        self.slow = False
        self.let_go = threading.Event()
        self.waited_for_nothing = False
        self.connection.set_trace_callback(self._begun)

    def write(self) -> None:
        self.connection.execute("BEGIN IMMEDIATE")
        self.connection.execute("INSERT INTO t VALUES (1)")

    def _begun(self, statement: str) -> None:
        if statement == "COMMIT" and self.slow:
            self.waited_for_nothing |= not self.let_go.wait(LONG)
            self.let_go.clear()


@contextmanager
def disk(path: Path) -> Iterator[Disk]:
    opened = Disk(path)
    yield opened
    opened.connection.close()
    with sqlite3.connect(path) as rows:
        assert rows.execute("SELECT count(*) FROM t").fetchone()[0] > 0
    rows.close()


async def test_the_loop_goes_on_while_a_disk_that_was_quick_is_slow(tmp_path: Path) -> None:
    with disk(tmp_path / "a.db") as slow:
        thread = CommitThread(slow.connection)
        slow.write()
        await thread.commit(alone=True)
        slow.slow = True
        for _ in range(2):
            slow.write()
            # Only the loop can let the disk go on: one that stood still for it would stand still for good.
            asyncio.get_running_loop().call_soon(slow.let_go.set)
            await thread.commit(alone=True)
        assert not slow.waited_for_nothing
        await thread.close()


async def test_a_cancelled_caller_leaves_the_connection_to_the_thread(tmp_path: Path) -> None:
    with disk(tmp_path / "a.db") as slow:
        thread = CommitThread(slow.connection)
        slow.slow = True
        slow.write()
        task = asyncio.create_task(thread.commit(alone=True))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        slow.let_go.set()
        await thread.close()


async def test_what_a_commit_raises_comes_out_of_it_waited_for_or_not(tmp_path: Path) -> None:
    with disk(tmp_path / "a.db") as quick:
        thread = CommitThread(quick.connection)
        for alone in (False, True, True):
            quick.write()
            await thread.commit(alone=alone)
            with pytest.raises(sqlite3.OperationalError, match="no transaction"):
                await thread.commit(alone=alone)
        await thread.close()
