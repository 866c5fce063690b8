"""The four folders of the file channel: `in`, `accepted`, `out` and `bad`.

Promises that nothing is read through a link, and that a file which was written is whole, and on disk when the call
returns. Blocks: for a thread. Knows no message.
"""

import json
import os
import stat
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import nsmallest
from itertools import count
from pathlib import Path
from typing import Any, cast

from picklebot.channels.file.reading import MAX_NAME, is_plain
from picklebot.tools.beneath import replace_file

IN, ACCEPTED, OUT, BAD = "in", "accepted", "out", "bad"
SUFFIX = ".json"
KEPT = timedelta(days=30)  #: for which a receipt is kept
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC  # a pipe would hold us until somebody writes


class Unfit(Exception):
    """What lies there is not read; says why."""


@dataclass(frozen=True, slots=True, order=True)
class Dropped:
    """A file in `in`: when it was last written, in nanoseconds, and what it is called."""

    written: int
    name: str


class Folders:
    """The folders beneath `top`, which are made where they are missing."""

    def __init__(self, top: Path) -> None:
        self.top = top

    def prepare(self) -> None:
        """Make the folders, closed to others."""
        self.top.mkdir(mode=0o700, exist_ok=True)
        for name in (IN, ACCEPTED, OUT, BAD):
            with suppress(FileExistsError):
                (self.top / name).mkdir(mode=0o700)
            with self._open(name):  # refuses a link
                pass

    def forget(self, now: datetime) -> None:
        """Drop receipts that nobody can still need."""
        oldest = (now - KEPT).timestamp()
        with self._open(ACCEPTED) as folder:
            for receipt in os.listdir(folder):  # noqa: PTH208  (beneath what is open)
                if os.stat(receipt, dir_fd=folder, follow_symlinks=False).st_mtime < oldest:
                    os.unlink(receipt, dir_fd=folder)

    def waiting(self, most: int, but: Collection[str]) -> list[Dropped]:
        """Return the files that wait, in the order in which they were written, at most so many; `but` not those.

        A file that comes while a folder is read may be missing from what is read, and a later one not. So the folder is
        read twice, and what is later than all that was there the first time is left for the next call.
        """
        with self._open(IN) as folder:
            last = max(_scan(folder, but), default=None)
            if last is None:
                return []
            return nsmallest(most, (each for each in _scan(folder, but) if each <= last))

    def read(self, name: str, most: int) -> bytes:
        """Return what a file in `in` holds.

        Raises:
            Unfit: it is no regular file of one name, is too large, or may not be read.
            OSError: the folder cannot be read, which says nothing of the file.
        """
        with self._open(IN) as folder:
            return _read(folder, name, most)

    def accept(self, event_id: str, receipt: Mapping[str, Any], names: Sequence[str]) -> None:
        """Write a receipt, then take the files that it is for away."""
        self.write(ACCEPTED, f"{event_id}{SUFFIX}", receipt)
        with self._open(IN) as folder:
            for name in names:
                with suppress(FileNotFoundError):
                    os.unlink(name, dir_fd=folder)

    def stem_of(self, event_id: str) -> str | None:
        """Return the name, without its ending, of the file that became a message; None where none did."""
        found = self._load(ACCEPTED, f"{event_id}{SUFFIX}")
        return str((found or {}).get("file", "")).removesuffix(SUFFIX) or None

    def set_aside(self, name: str, reason: str) -> None:
        """Move a file out of the way, with the reason beside it."""
        with self._open(IN) as here, self._open(BAD) as there:
            there_is = frozenset(os.listdir(there))  # noqa: PTH208  (beneath what is open)
            stem = name.removesuffix(SUFFIX) if is_plain(name) else "file"
            free = next(each for each in _names(stem) if each not in there_is)
            os.rename(name, free, src_dir_fd=here, dst_dir_fd=there)
            replace_file(there, f"{free}.reason.txt", f"{reason}\n".encode("utf-8", "backslashreplace"))

    def reply(self, stem: str, content: Mapping[str, Any]) -> None:
        """Write a reply named after what it answers, beside earlier ones; the same one again changes nothing."""
        for name in _names(stem):
            found = self._load(OUT, name)
            if found is None:
                self.write(OUT, name, content)
            if found is None or found.get("id") == content["id"]:
                return

    def write(self, folder: str, name: str, content: Mapping[str, Any]) -> None:
        """Write a file of JSON."""
        self.put(folder, name, json.dumps(content, ensure_ascii=False, indent=1).encode() + b"\n")

    def put(self, folder: str, name: str, content: bytes) -> None:
        """Write a file."""
        with self._open(folder) as opened:
            replace_file(opened, name, content)

    def _load(self, folder: str, name: str) -> dict[str, Any] | None:
        """Return what a file holds; None where there is none. A folder that is not there is an OSError."""
        with self._open(folder) as opened:
            try:
                with os.fdopen(os.open(name, _FILE, dir_fd=opened), "rb") as file:
                    found = json.load(file)
            except FileNotFoundError:
                return None
            except (OSError, ValueError):  # somebody else's, whatever it is
                return {}
        return cast("dict[str, Any]", found) if isinstance(found, dict) else {}

    @contextmanager
    def _open(self, name: str) -> Generator[int]:
        descriptor = os.open(self.top / name, _FOLDER)
        try:
            yield descriptor
        finally:
            os.close(descriptor)


def _read(folder: int, name: str, most: int) -> bytes:
    try:
        descriptor = os.open(name, _FILE, dir_fd=folder)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode) or status.st_nlink != 1:
                raise Unfit("it is not a regular file with one name")
            content = file.read(most + 1)
    except OSError as exc:
        raise Unfit(f"it cannot be read, or is a link: {exc.strerror}") from exc
    if len(content) > most:
        raise Unfit(f"it has more than the {most:,} bytes that are taken")
    return content


def _is_meant(name: str) -> bool:
    return name.endswith(SUFFIX) and not name.startswith(".")


def _scan(folder: int, but: Collection[str]) -> Iterator[Dropped]:
    with os.scandir(folder) as entries:
        found = (_dropped(entry) for entry in entries if _is_meant(entry.name) and entry.name not in but)
        yield from (each for each in found if each is not None)


def _dropped(entry: "os.DirEntry[str]") -> Dropped | None:
    try:
        return Dropped(entry.stat(follow_symlinks=False).st_mtime_ns, entry.name)
    except FileNotFoundError:
        return None


def _names(stem: str) -> Iterator[str]:
    short = stem.encode()[:MAX_NAME].decode("utf-8", "ignore")
    yield f"{short}{SUFFIX}"
    yield from (f"{short}.{number}{SUFFIX}" for number in count(2))
