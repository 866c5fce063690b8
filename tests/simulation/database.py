"""The store's database in a simulation: one at a time, in order, and never at once.

Promises what the daemon's database does: units take effect in the order in which they were given, and their callers
hear of it later, so that a crash may come between the commit and the news. Knows no table.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Sequence
from random import Random
from typing import Any, TypeVar

from picklebot.errors import PicklebotError
from picklebot.store.database import PlainDatabase
from picklebot.store.units import Unit
from tests.power.judge import run

T = TypeVar("T")


class SimDatabase:
    """A `PlainDatabase` that takes its time, at most `slowest` seconds."""

    def __init__(self, connection: sqlite3.Connection, rng: Random, *, slowest: float) -> None:
        self._plain = PlainDatabase(connection)
        self._rng = rng
        self._slowest = slowest
        self._waiting: deque[tuple[Unit[Any], asyncio.Future[Any]]] = deque()

    async def write(self, unit: Unit[T]) -> T:
        """Run `unit` in a transaction of its own, after those that came before it."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        self._waiting.append((unit, future))
        loop.call_later(self._rng.uniform(0.0, self._slowest), self._commit)
        return await asyncio.shield(future)

    async def complete(self, unit: Unit[T]) -> T:
        """Run `unit`: this disk is never full."""
        return await self.write(unit)

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one SELECT, some time from now."""
        await asyncio.sleep(self._rng.uniform(0.0, self._slowest))
        return run(self._plain.fetch(sql, parameters))

    def _commit(self) -> None:
        unit, future = self._waiting.popleft()
        try:
            result = run(self._plain.write(unit))
        except (PicklebotError, sqlite3.Error) as exc:
            if not future.done():
                future.set_exception(exc)
        else:
            if not future.done():
                future.set_result(result)
