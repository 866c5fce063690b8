"""The thread on which commits wait for the disk.

Promises that the loop goes on while a commit syncs: it stands still for one for `PATIENCE` at most, and only where
that is quicker than to look after others meanwhile. Knows nothing of what is committed.

To hand a commit over and to be called back by way of the loop takes as long as a quick disk takes to sync, so that
who publishes alone would wait twice as long as for the disk. A disk that was slow the last time is not waited for.
"""

import asyncio
import sqlite3
import threading
from queue import SimpleQueue
from time import perf_counter

PATIENCE = 0.001  #: seconds that the loop stands still for a commit; a sync takes a fifth of that on a quick disk


class CommitThread:
    """Runs `COMMIT` on `connection`, which nobody else may use meanwhile. Starts with the first one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[_Commit | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store commits", daemon=True)
        self._started = False
        self._quick = False  # whether the last commit took less than the loop would wait

    async def commit(self, *, alone: bool) -> None:
        """Commit, and return when it is on disk. `alone` tells that nobody else is known to have work for the loop.

        Raises:
            sqlite3.Error, MemoryError: what the commit raised.
        """
        if not self._started:
            self._thread.start()
            self._started = True
        commit = _Commit()
        self._queue.put(commit)
        if not (alone and self._quick and commit.ended.acquire(timeout=PATIENCE)):
            await self._called(commit)
        if commit.error is not None:
            raise commit.error

    async def _called(self, commit: "_Commit") -> None:
        commit.waiter = self._loop.create_future()
        if commit.ended.acquire(blocking=False):  # it ended before the thread could know of the waiter
            return
        # Shielded: a cancelled caller must not make the connection free while the thread still works on it.
        await asyncio.shield(commit.waiter)

    async def close(self) -> None:
        """End the thread."""
        if self._started:
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (commit := self._queue.get()) is not None:
            began = perf_counter()
            try:
                self._connection.execute("COMMIT")
            except (sqlite3.Error, MemoryError) as exc:  # the module has no other for a database out of memory
                commit.error = exc
            self._quick = perf_counter() - began < PATIENCE
            commit.ended.release()
            if commit.waiter is not None:  # read after the release: who sets it later finds the commit ended
                self._loop.call_soon_threadsafe(_finish, commit.waiter)


class _Commit:
    """One commit, handed from the loop to the thread and back."""

    __slots__ = ("ended", "error", "waiter")

    def __init__(self) -> None:
        self.ended = threading.Lock()  #: held until the commit has ended
        self.ended.acquire()
        self.error: sqlite3.Error | MemoryError | None = None
        self.waiter: asyncio.Future[None] | None = None


def _finish(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
