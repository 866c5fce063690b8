"""Keeps the definitions in force up to date with their files, and says what changed.

Promises that a file dropped in, edited or broken is noticed without a restart. Knows no format.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing

from picklebot.core.bus import EventBus
from picklebot.core.events import DefinitionChanged
from picklebot.core.source import Source
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.definitions.library import Library
from picklebot.workers.steering import Steering

logger = logging.getLogger(__name__)


class DefinitionWorker:
    """Scans whenever it is told that something may have changed."""

    name = "definitions"

    def __init__(
        self,
        *,
        bus: EventBus,
        library: Library,
        bootstrap: Bootstrap,
        steering: Steering,
        hints: Callable[[], AsyncGenerator[None, None]],
    ) -> None:
        self._bus = bus
        self._library = library
        self._bootstrap = bootstrap
        self._steering = steering
        self._hints = hints
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Follow the files until stopped. The first scan was the app's."""
        await self._steering.begin()
        async with asyncio.TaskGroup() as group:
            follower = group.create_task(self._follow(), name="definitions: files")
            ready()
            await self._stop.wait()
            follower.cancel()

    def stop(self) -> None:
        """Look no more."""
        self._stop.set()

    async def reload(self) -> None:
        """Look now."""
        changes = await asyncio.to_thread(self._library.scan)
        await asyncio.to_thread(self._bootstrap.refresh)
        if changes:
            await self._steering.changed(f"{change.kind} {change.id}" for change in changes)
        for change in changes:
            if change.error:
                logger.warning("%s %s: %s", change.kind, change.id, change.error)
            else:
                logger.info("%s %s has changed", change.kind, change.id)
            await self._bus.publish(
                DefinitionChanged(
                    session_id="",
                    source=Source(change.kind, (change.id,)),
                    kind=change.kind,
                    definition_id=change.id,
                    error=change.error,
                )
            )

    async def _follow(self) -> None:
        async with aclosing(self._hints()) as hints:
            async for _ in hints:
                await self.reload()
