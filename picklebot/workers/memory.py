"""Follows the notes, so that what is changed by hand is found.

Promises that nobody waits for it: a daemon with a hundred thousand notes starts at once, and indexes them behind. Knows
no index.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol


class Followed(Protocol):
    """Notes that can be followed."""

    async def follow(self) -> None:
        """Keep up with the files until cancelled."""
        ...


class MemoryWorker:
    """Runs `follow` for as long as the daemon runs."""

    name = "memory"

    def __init__(self, memories: Followed) -> None:
        self._memories = memories
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Follow until stopped."""
        async with asyncio.TaskGroup() as group:
            following = group.create_task(self._memories.follow(), name="memory: following the notes")
            ready()
            await self._stop.wait()
            following.cancel()

    def stop(self) -> None:
        """Follow no more."""
        self._stop.set()
