"""The store's own units of work and nothing round them: no loop, no waiting, no bus. What the statements alone cost.

As many as publish are accepted in one commit, together with the acks of those before them: the best that any way of
sharing commits could come to without changing a statement.
"""

from itertools import count
from pathlib import Path
from time import perf_counter

from picklebot.clock import SystemClock
from picklebot.core.source import Source
from picklebot.store.arrivals import accept
from picklebot.store.base import Arrival
from picklebot.store.database import connect
from picklebot.store.migrate import migrate

CONTENT = "x" * 200
ACK = "UPDATE inbox SET state = 'done' WHERE channel = ? AND key = ? AND state = 'open'"
_LIMIT = 1 << 20


def publish(path: Path, publishers: int, total: int) -> tuple[float, list[float]]:
    """Accept and acknowledge `total` events; return events a second, and each one's seconds."""
    connection, clock, numbers = connect(path), SystemClock(), count()
    latencies: list[float] = []
    try:
        migrate(connection, path)
        waiting: list[str] = []
        before = began = perf_counter()
        for _ in range(total // publishers + 1):
            connection.execute("BEGIN IMMEDIATE")
            for key in waiting:
                connection.execute(ACK, ("bench", key))
            keys = [f"k{next(numbers)}" for _ in range(publishers)] if len(latencies) + len(waiting) < total else []
            for number, key in enumerate(keys):
                source = Source("bench", (str(number),))
                arrival = Arrival(source=source, content=CONTENT, key=key, agent_id="echo", at=clock.now())
                accept(connection, arrival, limit=_LIMIT)
            connection.execute("COMMIT")
            now = perf_counter()
            latencies += [now - before] * len(waiting)
            before, waiting = now, keys
        took = perf_counter() - began
    finally:
        connection.close()
    return len(latencies) / took, latencies
