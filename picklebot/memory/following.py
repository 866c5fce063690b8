"""Keeps the index up to date with the files while the daemon runs.

Promises that a changed file is found within two seconds where the system tells of changes, that what it does not tell
of is found too, some time later, and that nothing of this waits for anybody. Knows no question.
"""

import asyncio
import logging
import sqlite3
import threading
from collections.abc import Callable, Set
from datetime import timedelta
from pathlib import Path

from picklebot.clock import Clock
from picklebot.memory.hearing import Hearing
from picklebot.memory.index import Index

logger = logging.getLogger(__name__)

# Seconds between two looks at everything, and how much longer than such a look takes they are at least.
_HEARD, _UNHEARD = (30.0, 100), (1.0, 10)


class Following:
    """One run of it. `look` may be called from any thread."""

    def __init__(self, folder: Path, index: Index, *, clock: Clock) -> None:
        self._index = index
        self._clock = clock
        self._hearing = Hearing(folder)
        self._leaving = threading.Event()
        self._trouble = ""

    def look(self) -> None:
        """Have every file looked at soon."""
        self._hearing.look()

    async def run(self, changed: Callable[[], None]) -> None:
        """Follow until cancelled; `changed` is called whenever the index may hold something new."""
        self._hearing.start()
        paths: Set[str] | None = None
        try:
            while True:
                began = self._clock.monotonic()
                await self._in_thread(paths)
                changed()
                least, times = _HEARD if self._hearing.listening else _UNHEARD
                pause = max(least, times * (self._clock.monotonic() - began))
                until = self._clock.now() + timedelta(seconds=pause)
                rung = await self._clock.wait(self._hearing.bell, until=until)
                paths = self._hearing.take() if rung else None
        finally:
            await self._hearing.close()

    async def _in_thread(self, paths: Set[str] | None) -> None:
        """Look, and if cancelled meanwhile, see that the thread has ended."""
        looking = asyncio.create_task(asyncio.to_thread(self._look, paths), name="memory: looking at files")
        try:
            await asyncio.shield(looking)
        except asyncio.CancelledError:
            self._leaving.set()
            await asyncio.wait({looking})
            raise

    def _look(self, paths: Set[str] | None) -> None:
        try:
            if paths is None or self._index.lost():
                self._index.refresh(go_on=lambda: not self._leaving.is_set())
            else:
                self._index.note(paths)
            self._trouble = ""
        except sqlite3.Error as exc:
            if str(exc) != self._trouble:
                logger.warning("the index of the notes is not up to date: %s", exc)
                self._trouble = str(exc)
