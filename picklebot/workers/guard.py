"""Takes the daemon down when the store cannot keep its promises any more.

Promises that a daemon which can write nothing does not go on listening. Knows no store.
"""

import asyncio
from collections.abc import Callable

from picklebot.errors import StoreError


class StoreGuard:
    """Waits for the worst."""

    name = "store"

    def __init__(self) -> None:
        self._bell = asyncio.Event()
        self._broken = False

    def broken(self) -> None:
        """The store failed."""
        self._broken = True
        self._bell.set()

    async def run(self, ready: Callable[[], None]) -> None:
        """Wait until stopped.

        Raises:
            StoreError: the store failed.
        """
        ready()
        await self._bell.wait()
        if self._broken:
            raise StoreError("the store failed; the log says how. Nothing more is accepted until a restart")

    def stop(self) -> None:
        """All is well."""
        self._bell.set()
