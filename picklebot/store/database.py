"""Two ways to run the store's logic: in the daemon, and on a plain connection.

The logic is units of work, functions of a plain `sqlite3` connection, and single SELECTs. `DaemonDatabase` runs the
first on the writer thread and the second on aiosqlite readers; `PlainDatabase` runs both at once where it stands,
for command-line readers, tests and the simulator. Knows no table.
"""

import asyncio
import logging
import sqlite3
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import aiosqlite

from picklebot.errors import StoreError, StoreFull
from picklebot.store.ballast import Ballast
from picklebot.store.migrate import migrate
from picklebot.store.units import Unit
from picklebot.store.wal import lengthen
from picklebot.store.writer import Room, Writer

logger = logging.getLogger(__name__)

T = TypeVar("T")
Row = tuple[Any, ...]
_READING = ("query_only = ON", "trusted_schema = OFF")
_WRITING = (
    "journal_mode = WAL",
    "synchronous = FULL",
    "foreign_keys = ON",
    "trusted_schema = OFF",
    "cache_size = -16000",
)  # a cache of 16 MB holds a group, so that nothing is spilled to disk before its commit
FIRST_PAUSE, MAX_PAUSE = 0.5, 30.0  #: seconds between two tries on a full disk; they double
READERS = 2  #: one for the workers' short reads, one so that a long report does not hold them up


class Database(Protocol):
    """Runs units of work and reads."""

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in one durable transaction: for what may still be refused.

        Raises:
            StoreFull: there is no room; nothing was written.
        """
        ...

    async def complete(self, unit: Unit[T]) -> T:
        """Run `unit` in one durable transaction, waiting for room if need be: for what follows from what was accepted."""
        ...

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one SELECT, which sees every write that has returned."""
        ...


class PlainDatabase:
    """Runs everything at once, on the connection it is given."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.connection = connection

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in one transaction."""
        self.connection.execute("BEGIN IMMEDIATE")
        try:
            result = unit(self.connection)
            self.connection.execute("COMMIT")
        finally:
            if self.connection.in_transaction:
                self.connection.execute("ROLLBACK")
        return result

    async def complete(self, unit: Unit[T]) -> T:
        """Run `unit` in one transaction."""
        return await self.write(unit)

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one SELECT."""
        return self.connection.execute(sql, parameters).fetchall()


class DaemonDatabase:
    """Writes in groups on the writer thread, reads on connections of their own."""

    def __init__(self, writer: Writer, readers: Sequence[aiosqlite.Connection], ballast: Ballast) -> None:
        self._writer = writer
        self._readers = readers
        self._ballast = ballast
        self._next = 0

    @property
    def room(self) -> Room:
        """Whether what was written last fitted on the disk."""
        return self._writer.room

    def submit(self, unit: Unit[T]) -> "asyncio.Future[T]":
        """Queue `unit` for the next group commit, for whoever does not wait; order is the order of calls."""
        return self._writer.submit(unit)

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in the next group commit; cancelling the caller does not undo it."""
        return await self._writer.submit(unit)

    async def complete(self, unit: Unit[T]) -> T:
        """Run `unit` in the next group commit for which there is room."""
        pause = FIRST_PAUSE
        while True:
            try:
                return await self._writer.submit(unit)
            except StoreFull as exc:
                if await asyncio.to_thread(self._ballast.drop):
                    continue
                logger.critical("waiting for room on the disk, for %.1f s: %s", pause, exc)
            await asyncio.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE)

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run one SELECT on the next reader."""
        self._next = (self._next + 1) % len(self._readers)
        rows = await self._readers[self._next].execute_fetchall(sql, parameters)
        return [tuple(row) for row in rows]


def connect(path: Path, *, read_only: bool = False) -> sqlite3.Connection:
    """Open a plain connection with the settings that the promises rest on.

    WAL with `synchronous=FULL`: a commit survives power loss (https://sqlite.org/pragma.html#pragma_synchronous).
    """
    connection = sqlite3.connect(path, isolation_level=None, timeout=5.0, check_same_thread=False)
    # Not `mode=ro` for readers: that cannot open a WAL database whose last writer has closed.
    settings = _READING if read_only else _WRITING
    try:
        for setting in settings:
            connection.execute(f"PRAGMA {setting}")
    except sqlite3.Error as exc:
        connection.close()
        raise StoreError(f"{path} cannot be used as a database: {exc}. Move it aside or restore a backup") from exc
    return connection


def _prepare(path: Path) -> None:
    """Migrate, and read one page of everything, before anything is promised."""
    connection = connect(path)
    try:
        migrate(connection, path)
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0] if path.stat().st_size < 1 << 24 else "ok"
    except sqlite3.DatabaseError as exc:
        raise StoreError(f"{path} cannot be used as a database: {exc}. Move it aside or restore a backup") from exc
    finally:
        connection.close()
    if verdict != "ok":
        raise StoreError(f"{path} is damaged ({verdict}): move it aside or restore a backup")


async def _end(writer: Writer, running: asyncio.Task[None]) -> None:
    """Let the writer commit what is queued; a crash of its own comes out here."""
    writer.close()
    await running


@asynccontextmanager
async def open_database(
    path: Path, *, on_broken: Callable[[], None] = lambda: None, stays: bool = False
) -> AsyncGenerator[DaemonDatabase, None]:
    """Open, migrate and check the database at `path` for as long as the block lasts.

    `on_broken` is called in the loop when the store fails in a way that breaks promises. For a daemon that `stays`,
    room is kept for finishing what was accepted when the disk is full, and the write-ahead log is as long as it gets.

    Raises:
        StoreError: it is damaged, newer than this program, or no database.
    """
    await asyncio.to_thread(_prepare, path)
    async with AsyncExitStack() as stack:
        connection = await asyncio.to_thread(connect, path)
        stack.callback(connection.close)
        if stays:
            await asyncio.to_thread(lengthen, connection, path)
        connection.execute("PRAGMA busy_timeout = 0")  # waiting for a lock is the writer's business, not the loop's
        writer = Writer(connection, on_broken=on_broken)
        running = asyncio.create_task(writer.run(), name="store writer")
        stack.push_async_callback(_end, writer, running)
        readers: list[aiosqlite.Connection] = []
        for _ in range(READERS):
            reader = await stack.enter_async_context(aiosqlite.connect(path, isolation_level=None))
            await reader.execute_fetchall("PRAGMA query_only = ON")
            readers.append(reader)
        weight = Ballast(path.with_suffix(".ballast"))
        if stays:
            await asyncio.to_thread(weight.take)
        yield DaemonDatabase(writer, readers, weight)
