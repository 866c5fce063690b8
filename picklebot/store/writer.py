"""The one writer: it owns the only write connection and commits whatever is queued as one group.

Promises that a unit of work is all on disk when its await returns, or not there at all, and that units take effect
in the order in which they were given. A unit may be run a second time when another one of its group failed, so it
keeps nothing between runs. Knows no table.

The fsync is the cost, so everything that waits shares one, and it alone happens on a thread. The statements of a unit
take some microseconds each and touch memory; on the thread they would take several times that, because each of them
gives the interpreter's lock away and has to win it back from a busy loop.
"""

import asyncio
import logging
import sqlite3
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from picklebot.errors import PicklebotError, StoreError, StoreFull
from picklebot.store.syncing import CommitThread
from picklebot.store.units import Unit, rows, run

logger = logging.getLogger(__name__)

T = TypeVar("T")

MAX_GROUP = 1024  #: units in one commit: bounds how long the first of them waits for the last
CROWD = 64  #: units that make a commit of their own: who was just answered runs while that one waits for the disk
ALONE = 2  #: units in a group that is waited for on the spot: one who publishes and one who answers, no crowd
SLICE = 0.002  #: seconds of statements after which others get the loop for a moment
BUSY_PAUSE = 0.01  #: seconds before asking again for a lock that another process holds
_FULL = {sqlite3.SQLITE_FULL, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN}


@dataclass(slots=True)
class _Waiting:
    unit: Unit[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: BaseException | None = None


@dataclass(slots=True)
class Room:
    """Whether what was to be written fitted on the disk."""

    missing: str | None = None
    """Why the last group that did not fit did not, until somebody has seen that there is room again."""


class Writer:
    """Commits units of work in groups; `run` does it, until `close`.

    After an I/O error the outcome of the last commit is unknown, so the writer stops for good and calls `on_broken`:
    whoever restarts the daemon reads the truth back.
    """

    def __init__(self, connection: sqlite3.Connection, *, on_broken: Callable[[], None]) -> None:
        self._connection = connection
        self._on_broken = on_broken
        self._loop = asyncio.get_running_loop()
        self._queue: deque[_Waiting] = deque()
        self._queued = asyncio.Event()
        self._thread = CommitThread(connection)
        self._broken: BaseException | None = None
        self.room = Room()
        self._closed = False

    def submit(self, unit: Unit[T]) -> "asyncio.Future[T]":
        """Queue `unit`; its effect is on disk when the future is done. Order is the order of calls.

        Cancelling the future does not undo the unit.
        """
        if self._closed or self._broken:
            raise StoreError(f"the store is closed: {self._broken or 'the daemon is stopping'}")
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.append(_Waiting(unit, future))
        self._queued.set()
        return future

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in the next commit. A cancelled caller leaves the commit alone: only its future is cancelled.

        Raises:
            StoreFull: nothing was written.
            StoreError: the store is broken or closed.
        """
        return await self.submit(unit)

    def close(self) -> None:
        """Take no more; `run` commits what is queued, and returns."""
        self._closed = True
        self._queued.set()

    async def run(self) -> None:
        """Commit groups until closed. Do not cancel it: whoever waits would never hear."""
        group: list[_Waiting] = []
        try:
            while not self._broken:
                while not self._queue and not self._closed:
                    self._queued.clear()
                    await self._queued.wait()
                group = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_GROUP))]
                if not group:
                    return
                await self._commit(group)
                _settle(group)
                group = []
                if len(self._queue) < CROWD:
                    await asyncio.sleep(0)  # who was just answered often has more to write: it shares the next commit
        finally:
            self._closed = True  # also where somebody cancelled it after all: nothing would be taken from the queue
            # Reached with a group in hand only by a bug in a unit: fail who waits, and take the daemon down.
            if group:
                self._break(StoreError("a unit of work crashed the writer; see the traceback"))
            for waiting in (*group, *self._queue):
                waiting.error = waiting.error or StoreError(f"the store is closed: {self._broken}")
            _settle([*group, *self._queue])
            self._queue.clear()
            await self._thread.close()

    async def _commit(self, group: list[_Waiting]) -> None:
        try:
            if not await self._commit_together(group):
                await self._commit_apart(group)
        except sqlite3.Error as exc:
            error = _translate(exc)
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            if isinstance(error, StoreFull):
                self.room.missing = str(error)
            else:
                self._break(error)
            for waiting in group:
                waiting.error = error

    async def _commit_together(self, group: list[_Waiting]) -> bool:
        """Commit the whole group, or none of it and return False because a unit failed.

        Units hardly ever fail, and a savepoint for each would cost two statements of the three or four that a unit has.
        """
        await self._begin()
        end = self._loop.time() + SLICE
        try:
            results: list[Any] = []
            for row in rows([waiting.unit for waiting in group]):
                results += run(self._connection, row)
                if self._loop.time() > end:
                    await asyncio.sleep(0)
                    end = self._loop.time() + SLICE
        except (PicklebotError, sqlite3.IntegrityError):
            self._connection.execute("ROLLBACK")
            return False
        await self._thread.commit(alone=len(group) <= ALONE)
        for waiting, result in zip(group, results, strict=True):
            waiting.result = result
        return True

    async def _commit_apart(self, group: list[_Waiting]) -> None:
        """Commit the group again, each unit under a savepoint, so that a failure spares the rest."""
        await self._begin()
        for waiting in group:
            _attempt(self._connection, waiting)
        await self._thread.commit(alone=False)

    async def _begin(self) -> None:
        waited = 0.0
        while True:
            try:
                self._connection.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as exc:
                if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                    raise
            else:
                return
            if waited == 0.0:
                logger.warning("another process writes to the database; waiting for it")
            await asyncio.sleep(BUSY_PAUSE)
            waited += BUSY_PAUSE

    def _break(self, error: BaseException) -> None:
        logger.critical("the store cannot keep its promises any more: %s", error)
        self._broken = error
        self._loop.call_soon(self._on_broken)


def _attempt(connection: sqlite3.Connection, waiting: _Waiting) -> None:
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
