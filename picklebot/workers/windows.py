"""Asks endpoints for the windows of their models, while the daemon runs. Promises that nobody waits for it."""

import asyncio
from collections.abc import Callable

from picklebot.models.listing import Windows


class WindowWorker:
    """Runs `follow` for as long as the daemon runs."""

    name = "windows"

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Ask until stopped."""
        async with asyncio.TaskGroup() as group:
            asking = group.create_task(self._windows.follow(), name="windows: asking for them")
            ready()
            await self._stop.wait()
            asking.cancel()

    def stop(self) -> None:
        """Ask no more."""
        self._stop.set()
