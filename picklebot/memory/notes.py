"""Notes in markdown files, one file a topic.

Promises that a saved note is on disk before it is said to be kept, that what people wrote in these files stays byte
for byte, and that no link leads out of the folder. The files are the truth: there is nothing beside them, and what is
put there by hand is found too. Knows no index and no model.
"""

import asyncio
import os
import threading
from datetime import UTC, datetime
from pathlib import Path

from picklebot.core.text import clean
from picklebot.memory.entries import QUARANTINE, Entry, parse, render
from picklebot.memory.folder import MAX_FILE, alone, content_of, opened, read, text_of, walk
from picklebot.memory.topics import path_of
from picklebot.tools.beneath import Failure, replace_file

MAX_ENTRY = 16_000  #: bytes


class Notes:
    """The notes below one folder. Its methods may be used from any task; one writes at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.writing = threading.Lock()

    async def save(
        self, topic: str, content: str, *, at: datetime, origin: str, by: str = "", outside: bool = False
    ) -> str:
        """Add a dated note to a topic, unless it has one with this content; return the path of its file.

        `projects/x` is a project's file, `daily-notes` the file of the day `at`, anything else a topic's. What is from
        `outside` goes to a file of its own below `quarantine/`.

        Raises:
            ValueError: the topic cannot be a name, the note is empty or too long, or its file is full.
        """
        path = (QUARANTINE if outside else "") + path_of(topic, at)
        entry = Entry(path=path, at=at, origin=origin, by=by, outside=outside, content=_plain(content))
        await asyncio.to_thread(self._save, entry)
        return path

    async def read(self, path: str) -> str:
        """Return a file of notes.

        Raises:
            NotFound: there is no such file, or it is none of ours.
        """
        return await asyncio.to_thread(read, self._folder, path)

    async def paths(self) -> list[str]:
        """Return the paths of all files of notes, sorted."""
        return [path for path, _, _ in await self.files()]

    async def files(self) -> list[tuple[str, int, datetime]]:
        """Return the path, the size in bytes and the last change of every file of notes, sorted."""
        return await asyncio.to_thread(self._files)

    def _files(self) -> list[tuple[str, int, datetime]]:
        found = walk(self._folder, lambda path, stamp: False)
        return sorted(
            (each.path, each.stamp.size, datetime.fromtimestamp(each.stamp.changed / 1e9, UTC)) for each in found
        )

    def _save(self, entry: Entry) -> None:
        written = render(entry).encode()
        if not entry.content:
            raise ValueError("the note is empty; write what should be remembered")
        if len(written) > MAX_ENTRY:
            raise ValueError(
                f"the note has {len(written):,} bytes, at most {MAX_ENTRY:,} are kept: save the gist of it"
            )
        try:
            with alone(self._folder, self.writing), opened(self._folder) as tree:
                folder, name = tree.open_folder(entry.path, create=True)
                try:
                    self._add(folder, name, entry, written)
                finally:
                    os.close(folder)
        except Failure as exc:
            raise ValueError(str(exc)) from exc

    def _add(self, folder: int, name: str, entry: Entry, written: bytes) -> None:
        before = content_of(folder, name) or b""
        if any(other.content == entry.content for other in parse(entry.path, text_of(before))):
            return
        gap = b"" if not before else b"\n" if before.endswith(b"\n") else b"\n\n"
        if len(before) + len(gap) + len(written) > MAX_FILE:
            raise ValueError(f"{entry.path} is full ({MAX_FILE:,} bytes): save under another topic")
        replace_file(folder, name, before + gap + written)


def _plain(text: str) -> str:
    return clean(text).replace("\r\n", "\n").replace("\r", "\n").strip()
