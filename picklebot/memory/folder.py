"""The folder of notes, as it is on disk: which files there are, and what one holds.

Promises plain files of our own only, below the folder, of bounded size: no link is followed and nothing that could
wait or be somebody else's is opened. Knows no note and no index.
"""

import fcntl
import os
import stat
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from picklebot.errors import NotFound
from picklebot.tools.beneath import Failure, Tree

MAX_FILE = 1_000_000  #: bytes
FOLDERS = ("topics", "projects", "daily-notes", "quarantine")
DEPTH = 8  #: folders in folders
_READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC
_WALKING = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells two versions of a file apart, without reading them."""

    inode: int
    size: int
    changed: int
    """Nanoseconds, of the content or of the file's name and place, whichever is later."""


def is_note(path: str) -> bool:
    """Return whether a file at `path` below the folder would be one of ours."""
    try:
        path.encode()
    except UnicodeEncodeError:  # a name that is no text
        return False
    parts = path.split("/")
    plain = all(part and not part.startswith(".") for part in parts)
    return plain and 2 <= len(parts) <= DEPTH and parts[0] in FOLDERS and path.endswith(".md")


@dataclass(frozen=True, slots=True)
class Found:
    """A file of notes; `content` is None where it was not asked for."""

    path: str
    stamp: Stamp
    content: bytes | None


def walk(folder: Path, wanted: Callable[[str, Stamp], bool]) -> Generator[Found]:
    """Yield every file of notes, in no order, with its content if it is `wanted`. What vanishes meanwhile is left out."""
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        for name in FOLDERS:
            yield from _walk(top, name, name, wanted)
    finally:
        os.close(top)


def look(folder: Path, path: str) -> Found | None:
    """Return the file of notes at `path`, with its content; None if there is none, or none of ours."""
    try:
        with opened(folder) as tree:
            above, _, name = path.rpartition("/")
            here = tree.open(above, os.O_RDONLY | os.O_DIRECTORY)
            try:
                return _found(here, name, path, lambda path, stamp: True)
            finally:
                os.close(here)
    except (Failure, OSError):
        return None


def _walk(parent: int, name: str, path: str, wanted: Callable[[str, Stamp], bool]) -> Generator[Found]:
    try:
        here = os.open(name, _WALKING, dir_fd=parent)
    except OSError:  # a link, no folder, gone, or closed to us
        return
    try:
        with os.scandir(here) as inside:
            entries = [entry for entry in inside if not entry.name.startswith(".")]
        for entry in entries:
            below = f"{path}/{entry.name}"
            if entry.is_dir(follow_symlinks=False):
                if below.count("/") < DEPTH - 1:
                    yield from _walk(here, entry.name, below, wanted)
            elif is_note(below) and (found := _found(here, entry.name, below, wanted)) is not None:
                yield found
    finally:
        os.close(here)


def _found(folder: int, name: str, path: str, wanted: Callable[[str, Stamp], bool]) -> Found | None:
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        # Asked before it is opened: another name of the database must not even be closed again, or SQLite loses its lock.
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1 or status.st_size > MAX_FILE:
            return None
        stamp = Stamp(status.st_ino, status.st_size, max(status.st_mtime_ns, status.st_ctime_ns))
        if not wanted(path, stamp):
            return Found(path, stamp, None)
        with open(os.open(name, _READING, dir_fd=folder), "rb") as file:  # noqa: PTH123  # it is a descriptor
            return Found(path, stamp, file.read(MAX_FILE))
    except OSError:
        return None


def content_of(folder: int, name: str) -> bytes | None:
    """Return the content of the file `name` in the open `folder`; None if there is none.

    Raises:
        ValueError: if it is no plain file of our own, or too long.
    """
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
            raise ValueError(f"{name!r} is a link or something else that is no plain file")
        if status.st_size > MAX_FILE:
            raise ValueError(f"{name!r} has {status.st_size:,} bytes, at most {MAX_FILE:,} are read: split it")
        fd = os.open(name, _READING, dir_fd=folder)
    except FileNotFoundError:
        return None
    with os.fdopen(fd, "rb") as file:
        return file.read(MAX_FILE + 1)[:MAX_FILE]


def text_of(content: bytes) -> str:
    """Return the text that a file's bytes are, whoever wrote them."""
    return content.decode("utf-8-sig", "replace").replace("\r\n", "\n").replace("\0", "")


@contextmanager
def opened(folder: Path) -> Generator[Tree]:
    """Give the folder as a tree in which nothing leads out.

    Raises:
        Failure: there is no such folder.
    """
    # Followed out of here, a link to the database would make SQLite lose its lock when we close it.
    tree = Tree(str(folder), follow=False)
    try:
        yield tree
    finally:
        tree.close()


def make(folder: Path, *, mode: int = 0o777) -> None:
    """Make a folder, and those above it; after a power cut, too, they are there."""
    if folder.is_dir():
        return
    make(folder.parent, mode=mode)
    folder.mkdir(exist_ok=True, mode=mode)
    above = os.open(folder.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(above)
    finally:
        os.close(above)


@contextmanager
def alone(folder: Path, writing: threading.Lock) -> Generator[None]:
    """Let nobody else of ours change notes meanwhile, in this process (`writing`) or in another. Makes the folder."""
    make(folder)
    with writing:
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            yield
        finally:
            os.close(fd)


def read(folder: Path, path: str) -> str:
    """Return the text of the file of notes at `path`, with or without `memories/` or `/memories/` before it.

    Raises:
        NotFound: there is no such file, or it is none of ours.
    """
    below = path.removeprefix("/").removeprefix("memories/")
    try:
        with opened(folder) as tree:
            above, _, name = below.rpartition("/")
            opened_folder = tree.open(above or ".", os.O_RDONLY | os.O_DIRECTORY)
            try:
                content = content_of(opened_folder, name) if name.endswith(".md") else None
            finally:
                os.close(opened_folder)
    except (Failure, OSError, ValueError) as exc:
        raise NotFound(f"there are no notes at {path!r}: {exc}") from exc
    if content is None:
        raise NotFound(f"there are no notes at {path!r}; search_memory shows the paths that there are")
    return text_of(content)
