"""Notes that agents keep, as plain markdown files that people can read and edit.

Promises that a note is on disk when `save` returns, whole or not at all, and that the same note is kept once. The
files are the source of truth: what a person writes there by hand is found too. Knows no index and no model.
"""

import asyncio
import os
import re
import stat
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from picklebot.core.text import clean
from picklebot.errors import NotFound
from picklebot.memory.entries import Entry, parse, render
from picklebot.memory.topics import path_of
from picklebot.tools.beneath import Failure, Tree, replace_file

MAX_ENTRY = 16_000  #: bytes
MAX_FILE = 1_000_000
FOLDERS = ("topics", "projects", "daily-notes")
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_WORD = re.compile(r"\w+")
_WHOLE = 3  # words shorter than this are found only as whole words


class Notes:
    """The notes below one folder. Its methods may be used from any task; one writes at a time."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writing = threading.Lock()

    async def save(self, topic: str, content: str, *, at: datetime, origin: str) -> str:
        """Add a dated note to a topic, unless it has one with this content; return the path of its file.

        `projects/x` is a project's file, `daily-notes` the file of the day `at`, anything else a topic's.

        Raises:
            ValueError: the topic cannot be a name, the note is empty or too long, or its file is full.
        """
        return await asyncio.to_thread(self._save, topic, content, at, origin)

    async def search(self, query: str, limit: int = 10) -> list[Entry]:
        """Return the notes that hold words of `query`: those with most of them first, then the latest."""
        return await asyncio.to_thread(self._search, query, limit)

    async def read(self, path: str) -> str:
        """Return a file of notes.

        Raises:
            NotFound: there is no such file, or it is none of ours.
        """
        return await asyncio.to_thread(self._read, path)

    async def paths(self) -> list[str]:
        """Return the paths of all files of notes."""
        return await asyncio.to_thread(self._paths)

    def _save(self, topic: str, content: str, at: datetime, origin: str) -> str:
        path = path_of(topic, at)
        entry = Entry(path=path, at=at, origin=origin, content=_plain(content))
        written = render(entry).encode()
        if not entry.content:
            raise ValueError("the note is empty; write what should be remembered")
        if len(written) > MAX_ENTRY:
            raise ValueError(
                f"the note has {len(written):,} bytes, at most {MAX_ENTRY:,} are kept: save the gist of it"
            )
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            with self._writing, self._tree() as tree:
                folder, name = tree.open_folder(path, create=True)
                try:
                    self._add(folder, name, entry, written)
                finally:
                    os.close(folder)
        except Failure as exc:
            raise ValueError(str(exc)) from exc
        return path

    def _add(self, folder: int, name: str, entry: Entry, written: bytes) -> None:
        before = _content(folder, name) or b""
        known = parse(entry.path, before.decode("utf-8-sig", "replace"))
        if any(other.content == entry.content for other in known):
            return
        gap = b"" if not before else b"\n" if before.endswith(b"\n") else b"\n\n"
        if len(before) + len(gap) + len(written) > MAX_FILE:
            raise ValueError(f"{entry.path} is full ({MAX_FILE:,} bytes): save under another topic")
        replace_file(folder, name, before + gap + written)

    def _search(self, query: str, limit: int) -> list[Entry]:
        words = set(_WORD.findall(query.casefold()))
        found = ((_matches(words, entry), entry) for path in self._paths() for entry in self._entries(path))
        ranked = sorted(
            ((count, entry) for count, entry in found if count),
            key=lambda scored: (-scored[0], -(scored[1].at.timestamp() if scored[1].at else 0.0), scored[1].path),
        )
        return [entry for _, entry in ranked[:limit]]

    def _entries(self, path: str) -> Sequence[Entry]:
        try:
            return parse(path, self._read(path))
        except NotFound:
            return []  # removed since it was listed

    def _read(self, path: str) -> str:
        try:
            with self._tree() as tree:
                above, _, name = path.removeprefix("memories/").rpartition("/")
                folder = tree.open(above or ".", os.O_RDONLY | os.O_DIRECTORY)
                try:
                    content = _content(folder, name) if name.endswith(".md") else None
                finally:
                    os.close(folder)
        except (Failure, OSError, ValueError) as exc:
            raise NotFound(f"there are no notes at {path!r}: {exc}") from exc
        if content is None:
            raise NotFound(f"there are no notes at {path!r}; search_memory shows the paths that there are")
        return content.decode("utf-8-sig", "replace").replace("\r\n", "\n")

    def _paths(self) -> list[str]:
        found: list[str] = []
        for folder in FOLDERS:
            if (self._folder / folder).is_symlink():
                continue  # what it leads to would not be opened
            for top, _, names in os.walk(self._folder / folder):
                below = Path(top).relative_to(self._folder).as_posix()
                found += [f"{below}/{name}" for name in names if name.endswith(".md") and not name.startswith(".")]
        return sorted(found)

    @contextmanager
    def _tree(self) -> Generator[Tree]:
        # Followed out of here, a link to the database would make SQLite lose its lock when we close it.
        tree = Tree(str(self._folder), follow=False)
        try:
            yield tree
        finally:
            tree.close()


def _content(folder: int, name: str) -> bytes | None:
    """Return a file's content; None if there is none.

    Raises:
        ValueError: if it is no plain file of our own, or too long.
    """
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        # Asked before it is opened: another name of the database must not even be closed again.
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ValueError(f"{name!r} is a link or something else that is no plain file")
        if status.st_size > MAX_FILE:
            raise ValueError(f"{name!r} has {status.st_size:,} bytes, at most {MAX_FILE:,} are read: split it")
        fd = os.open(name, _READING, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read(MAX_FILE + 1)[:MAX_FILE]


def _plain(text: str) -> str:
    return clean(text).replace("\r\n", "\n").replace("\r", "\n").strip()


def _matches(words: set[str], entry: Entry) -> int:
    """Return how many of `words` the note holds, its topic's name included."""
    text = f"{entry.path} {entry.content}".casefold()
    own = set(_WORD.findall(text))
    return sum(word in own or (len(word) >= _WHOLE and word in text) for word in words)
