"""The thread on which commits wait for the disk.

Promises that the loop goes on while a commit syncs. Knows nothing of what is committed.
"""

import asyncio
import sqlite3
import threading
from queue import SimpleQueue


class CommitThread:
    """Runs `COMMIT` on `connection`, which nobody else may use meanwhile. Starts with the first one."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._loop = asyncio.get_running_loop()
        self._queue: SimpleQueue[asyncio.Future[sqlite3.Error | None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="store commits", daemon=True)

    async def commit(self) -> None:
        """Commit, and return when it is on disk.

        Raises:
            sqlite3.Error: what the commit raised.
        """
        if not self._thread.is_alive():
            self._thread.start()
        done: asyncio.Future[sqlite3.Error | None] = self._loop.create_future()
        self._queue.put(done)
        # Shielded: a cancelled caller must not make the connection free while the thread still works on it.
        if (error := await asyncio.shield(done)) is not None:
            raise error

    async def close(self) -> None:
        """End the thread."""
        if self._thread.is_alive():
            self._queue.put(None)
            await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        while (done := self._queue.get()) is not None:
            error: sqlite3.Error | None = None
            try:
                self._connection.execute("COMMIT")
            except sqlite3.Error as exc:
                error = exc
            self._loop.call_soon_threadsafe(_finish, done, error)


def _finish(done: "asyncio.Future[sqlite3.Error | None]", error: sqlite3.Error | None) -> None:
    if not done.done():
        done.set_result(error)
