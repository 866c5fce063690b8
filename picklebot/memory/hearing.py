"""Hears which files of notes were changed, where the system offers that.

Promises hints: a path for each change it hears of, None for "look at everything" where it cannot know. It may miss
changes and invent others, so whoever listens also looks by itself from time to time. Knows no note and no index.
"""

import asyncio
import importlib
import logging
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from picklebot.memory.folder import is_note

logger = logging.getLogger(__name__)

MOST = 5_000  #: paths that are remembered; past them everything is looked at
_DEBOUNCE_MS, _STEP_MS, _ROUND_MS = 200, 50, 500
_RETRY = 1.0  # seconds until a folder that is not there is looked for again


class Hearing:
    """A thread that listens to a folder and everything below it. `bell` is set, on the loop, when there is something."""

    def __init__(self, folder: Path) -> None:
        self.bell = asyncio.Event()
        self.listening = False
        self._folder = folder
        self._loop = asyncio.get_running_loop()
        self._paths: set[str] = set()
        self._all = False
        self._guard = threading.Lock()
        self._stop = threading.Event()
        self._ended = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name=f"listening to {folder}", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    async def close(self) -> None:
        """Stop listening; on return the thread is gone."""
        self._stop.set()
        await self._ended.wait()
        self._thread.join()

    def take(self) -> set[str] | None:
        """Return the paths below the folder that were heard of since the last time; None to look at everything."""
        with self._guard:
            paths, everything = self._paths, self._all
            self._paths, self._all = set(), False
        self.bell.clear()
        return None if everything else paths

    def look(self) -> None:
        """Have everything looked at."""
        self._heard(None)

    def _run(self) -> None:
        try:
            watchfiles: Any = importlib.import_module(
                "watchfiles"
            )  # optional, and 40 ms: not the loop's business  # lazy: it is needed only while files are watched
        except ImportError:
            logger.info("watchfiles is not installed: notes are looked at from time to time")
        else:
            self._listen(watchfiles)
        finally:
            self._tell(self._ended.set)

    def _listen(self, watchfiles: Any) -> None:
        warned = False
        while not self._stop.is_set():
            try:
                if self._folder.is_dir():
                    self._listen_once(watchfiles)
            except (OSError, RuntimeError, watchfiles.WatchfilesRustInternalError) as exc:
                if not warned:
                    logger.warning("%s cannot be watched and is looked at from time to time: %s", self._folder, exc)
                    warned = True
            self.listening = False
            self._stop.wait(_RETRY)

    def _listen_once(self, watchfiles: Any) -> None:
        inode = self._folder.stat().st_ino
        for changes in watchfiles.watch(
            self._folder,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            rust_timeout=_ROUND_MS,
            yield_on_timeout=True,
            stop_event=self._stop,
            raise_interrupt=False,
        ):
            if not self.listening:
                self.listening = True
                self._heard(None)
            for _, name in changes:
                self._hear(Path(name))
            if not self._folder.is_dir() or self._folder.stat().st_ino != inode:
                self._heard(None)
                break

    def _hear(self, place: Path) -> None:
        try:
            below = place.relative_to(self._folder).as_posix()
        except ValueError:
            below = "."
        if is_note(below):
            self._heard(below)
        elif not below.rpartition("/")[2].startswith("."):
            self._heard(None)  # a folder: what was put into it before it was watched was not heard

    def _heard(self, path: str | None) -> None:
        with self._guard:
            if path is None or len(self._paths) >= MOST:
                self._all = True
                self._paths.clear()
            elif not self._all:
                self._paths.add(path)
        self._tell(self.bell.set)

    def _tell(self, call: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(call)
        except RuntimeError:  # the loop is gone, and so is everybody who could listen
            self._stop.set()
