"""The barest loop that writes the same rows and shares commits: what a machine can do for a bus made of SQLite.

Writes the rows of an accepted event (the log's and the inbox's) and marks them done, with the store's own schema and
settings. Has no bus, no sessions, no duplicates, no limits, no savepoints, and no answer for a failure.
"""

import asyncio
import threading
from itertools import count
from pathlib import Path
from queue import Empty, SimpleQueue
from time import perf_counter
from typing import Any, TypeAlias

from picklebot.core.ids import new_id
from picklebot.store.database import connect
from picklebot.store.migrate import migrate

_EVENT = (
    "INSERT INTO events (id, kind, session_id, source, cause_id, created_at, body) "
    "VALUES (?, 'InboundEvent', ?, ?, NULL, ?, ?)"
)
_OPEN = "INSERT INTO inbox (seq, channel, key, session_id, agent_id, state) VALUES (?, 'bench', ?, ?, 'echo', 'open')"
_DONE = "UPDATE inbox SET state = 'done' WHERE seq = ?"
_BODY = '{"agent_id":"echo","content":"' + "x" * 200 + '","key":"%s"}'

_Item: TypeAlias = tuple[Any, tuple[Any, ...] | int]  #: whom to tell, and a row to insert or the seq to mark done


class _Loop:
    """Commits whatever is queued."""

    def __init__(self, path: Path) -> None:
        self._connection = connect(path)
        self._queue: SimpleQueue[_Item | None] = SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._thread = threading.Thread(target=self._run, name="bare loop")
        self._thread.start()

    def put(self, row: tuple[Any, ...] | int) -> "asyncio.Future[int]":
        future: asyncio.Future[int] = self._loop.create_future()
        self._queue.put((future, row))
        return future

    async def close(self) -> None:
        self._queue.put(None)
        await asyncio.to_thread(self._thread.join)

    def _run(self) -> None:
        execute = self._connection.execute
        while (item := self._queue.get()) is not None:
            settled: list[tuple[asyncio.Future[int], int]] = []
            execute("BEGIN IMMEDIATE")
            while item is not None:
                future, row = item
                if isinstance(row, int):
                    execute(_DONE, (row,))
                    settled.append((future, row))
                else:
                    event_id, key, session, at = row
                    seq = execute(_EVENT, (event_id, session, session, at, _BODY % key)).lastrowid or 0
                    execute(_OPEN, (seq, key, session))
                    settled.append((future, seq))
                try:
                    item = self._queue.get_nowait()
                except Empty:
                    break
            execute("COMMIT")
            self._loop.call_soon_threadsafe(_settle, settled)
        self._connection.close()


def _settle(settled: list[tuple["asyncio.Future[int]", int]]) -> None:
    for future, seq in settled:
        future.set_result(seq)


async def publish(path: Path, publishers: int, total: int) -> tuple[float, list[float]]:
    """Insert and mark `total` events; return events a second, and each one's seconds."""
    with_schema = connect(path)
    migrate(with_schema, path)
    with_schema.close()
    loop = _Loop(path)
    latencies: list[float] = []
    each, numbers = total // publishers, count()
    finished = asyncio.Event()

    async def publisher(number: int) -> None:
        for n in range(each):
            began = perf_counter()
            # The keys count up through all publishers, as ours do: where a key falls in its index is part of the cost.
            seq = await loop.put((new_id(), f"k{next(numbers)}", f"bench:{number}", n))

            def acknowledged(_: object, began: float = began) -> None:
                latencies.append(perf_counter() - began)
                if len(latencies) == each * publishers:
                    finished.set()

            loop.put(seq).add_done_callback(acknowledged)

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for number in range(publishers):
            group.create_task(publisher(number))
    await finished.wait()
    took = perf_counter() - began
    await loop.close()
    return each * publishers / took, latencies
