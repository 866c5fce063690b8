"""Which files of notes are heard to have changed.

Promises hints: a path for each change it hears of, None for "look at everything" where it cannot know. It may miss
changes and invent others, so whoever listens also looks by itself from time to time. Knows no note and no index.
"""

import asyncio
import threading
from collections.abc import Collection
from pathlib import Path

from picklebot.listening import Ear
from picklebot.memory.folder import is_note

MOST = 5_000  #: paths that are remembered; past them everything is looked at


class Hearing:
    """Listens to a folder and everything below it. `bell` is set, on the loop, when there is something."""

    def __init__(self, folder: Path) -> None:
        self.bell = asyncio.Event()
        self._folder = folder
        self._inode = 0
        self._paths: set[str] = set()
        self._all = False
        self._guard = threading.Lock()
        self._ear = Ear(f"the notes in {folder}", folders=self._watch, heard=self._heard, recursive=True)

    @property
    def listening(self) -> bool:
        """Whether changes are being heard at all."""
        return self._ear.listening

    def start(self) -> None:
        """Begin."""
        self._ear.start()

    async def close(self) -> None:
        """Stop listening; on return the thread is gone."""
        await self._ear.close()

    def take(self) -> set[str] | None:
        """Return the paths below the folder that were heard of since the last time; None to look at everything."""
        with self._guard:
            paths, everything = self._paths, self._all
            self._paths, self._all = set(), False
        self.bell.clear()
        return None if everything else paths

    def look(self) -> None:
        """Have everything looked at."""
        self._remember(None)

    def _watch(self) -> Collection[Path]:
        if not self._folder.is_dir():
            return ()
        self._inode = self._folder.stat().st_ino
        return (self._folder,)

    def _heard(self, changed: Collection[Path] | None) -> bool:
        if not self.listening:  # whoever listens looks by itself then, and not at this pace
            return False
        if changed is None:
            self._remember(None)
        for place in changed or ():
            self._hear(place)
        if self._folder.is_dir() and self._folder.stat().st_ino == self._inode:
            return True
        self._remember(None)
        return False

    def _hear(self, place: Path) -> None:
        try:
            below = place.relative_to(self._folder).as_posix()
        except ValueError:
            below = "."
        if is_note(below):
            self._remember(below)
        elif not below.rpartition("/")[2].startswith("."):
            self._remember(None)  # a folder: what was put into it before it was watched was not heard

    def _remember(self, path: str | None) -> None:
        with self._guard:
            if path is None or len(self._paths) >= MOST:
                self._all = True
                self._paths.clear()
            elif not self._all:
                self._paths.add(path)
        self._ear.tell(self.bell.set)
