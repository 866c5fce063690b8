"""The one writer: a thread that owns the only write connection and commits whatever is queued as one group.

Promises that a unit of work is all on disk when its await returns, or not there at all, and that units take effect
in the order in which they were given. The fsync is the cost, so everything that waits shares one. Knows no table.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeAlias, TypeVar

from picklebot.errors import PicklebotError, StoreError, StoreFull

logger = logging.getLogger(__name__)

T = TypeVar("T")
Unit: TypeAlias = Callable[[sqlite3.Connection], T]

MAX_GROUP = 1024  #: units in one commit: bounds how long the first of them waits for the last
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


@dataclass(slots=True)
class _Waiting:
    unit: Unit[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


class Writer:
    """Commits units of work in groups, on its own thread.

    After an I/O error the outcome of the last commit is unknown, so the writer stops for good and calls `on_broken`:
    whoever restarts the daemon reads the truth back.
    """

    def __init__(self, connect: Callable[[], sqlite3.Connection], *, on_broken: Callable[[], None]) -> None:
        self._connect = connect
        self._on_broken = on_broken
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._broken: BaseException | None = None
        self._closed = False
        self._thread = threading.Thread(target=self._run, name="store writer", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def submit(self, unit: Unit[T]) -> "asyncio.Future[T]":
        """Queue `unit`; its effect is on disk when the future is done. Order is the order of calls.

        Cancelling the future does not undo the unit.
        """
        if self._closed or self._broken:
            raise StoreError(f"the store is closed: {self._broken or 'the daemon is stopping'}")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Waiting(unit, future))
        return future

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in the next commit. A cancelled caller leaves the commit alone.

        Raises:
            StoreFull: nothing was written.
            StoreError: the store is broken or closed.
        """
        return await asyncio.shield(self.submit(unit))

    async def close(self) -> None:
        """Commit what is queued, then end the thread."""
        if self._closed:
            return
        self._closed = True
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        connection = self._connect()
        group: list[_Waiting] = []
        try:
            while not self._broken:
                group = self._next_group()
                if not group:
                    break
                self._commit(connection, group)
                self._loop.call_soon_threadsafe(_settle, group)
                group = []
        finally:
            # Reached with a group in hand only by a bug in a unit: fail who waits, and take the daemon down.
            connection.close()
            if group:
                self._fail(group, StoreError("a unit of work crashed the writer; see the traceback"))

    def _next_group(self) -> list[_Waiting]:
        first = self._queue.get()
        group: list[_Waiting] = []
        while first is not None:
            group.append(first)
            if len(group) == MAX_GROUP:
                return group
            try:
                first = self._queue.get_nowait()
            except Empty:
                return group
        self._queue.put(None)  # closing: finish this group first, then find the end again
        return group or []

    def _commit(self, connection: sqlite3.Connection, group: list[_Waiting]) -> None:
        try:
            connection.execute("BEGIN IMMEDIATE")
            for waiting in group:
                _attempt(connection, waiting)
            connection.execute("COMMIT")
        except sqlite3.Error as exc:
            error = _translate(exc)
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            if not isinstance(error, StoreFull):
                self._break(error)
            for waiting in group:
                waiting.error = error

    def _fail(self, group: list[_Waiting], error: StoreError) -> None:
        self._break(error)
        for waiting in group:
            waiting.error = error
        self._loop.call_soon_threadsafe(_settle, group)

    def _break(self, error: BaseException) -> None:
        logger.critical("the store cannot keep its promises any more: %s", error)
        self._broken = error
        self._loop.call_soon_threadsafe(self._abandon)

    def _abandon(self) -> None:
        """Fail what is still queued. Runs in the loop, where `submit` runs too, so nothing slips in behind it."""
        left: list[_Waiting] = []
        while not self._queue.empty():
            if waiting := self._queue.get_nowait():
                waiting.error = StoreError(f"the store is closed: {self._broken}")
                left.append(waiting)
        _settle(left)
        self._on_broken()


def _attempt(connection: sqlite3.Connection, waiting: _Waiting) -> None:
    """Run one unit under a savepoint of its own, so that its failure spares the rest of the group."""
    connection.execute("SAVEPOINT unit")
    try:
        waiting.result = waiting.unit(connection)
    except PicklebotError as exc:
        waiting.error = exc
    except sqlite3.IntegrityError as exc:
        waiting.error = StoreError(f"a rule of the database was broken: {exc}")
        waiting.error.__cause__ = exc
    if waiting.error is not None:
        connection.execute("ROLLBACK TO unit")
    connection.execute("RELEASE unit")


def _translate(exc: sqlite3.Error) -> StoreError:
    code = getattr(exc, "sqlite_errorcode", None)
    error: StoreError
    if code is not None and code & 0xFF in _FULL:
        error = StoreFull(f"the disk is full or read-only: {exc}", retry_after=30.0)
    else:
        error = StoreError(f"the database failed: {exc}")
    error.__cause__ = exc
    return error


def _settle(group: list[_Waiting]) -> None:
    for waiting in group:
        if waiting.future.done():  # its caller was cancelled; the commit stands
            continue
        if waiting.error is not None:
            waiting.future.set_exception(waiting.error)
        else:
            waiting.future.set_result(waiting.result)
