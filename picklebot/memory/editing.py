"""The commands of Anthropic's memory tool, on the files of notes: what they do to a file.

Promises the answers that models were taught to expect (the SDK's `BetaLocalFilesystemMemoryTool`), that a text which an
agent writes says who wrote it and when, that it cannot pass for another's, and that what is taken away is kept as a
version. What came from outside stays in quarantine: a turn that has read such things changes nothing else, and no
agent moves a note out of there. Knows no tool and no index.
"""

import os
import re
import threading
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from picklebot.core.text import clean
from picklebot.errors import NotFound
from picklebot.memory.entries import QUARANTINE, Entry, guarded, render, unmarked
from picklebot.memory.folder import FOLDERS, MAX_FILE, alone, content_of, is_note, opened, text_of
from picklebot.memory.versions import Versions
from picklebot.tools.beneath import Failure, replace_file
from picklebot.tools.memory_commands import Author

_AROUND = 2  # lines shown around a change


@dataclass(frozen=True, slots=True)
class Place:
    """A file of notes, opened for a change: the folder that holds it, and its name there."""

    folder: int
    name: str
    path: str

    def content(self) -> bytes:
        """Return what the file holds.

        Raises:
            NotFound: there is no such file.
        """
        content = content_of(self.folder, self.name)
        if content is None:
            raise missing(self.path)
        return content


class Editor:
    """Changes files. Its methods block; one at a time is at work. A path is as notes have it: `topics/tea.md`.

    Each raises `ValueError` or `NotFound` with words for the model, and returns what to tell it.
    """

    def __init__(self, folder: Path, versions: Versions, writing: threading.Lock) -> None:
        self._folder = folder
        self._versions = versions
        self._writing = writing

    def create(self, path: str, text: str, author: Author) -> str:
        """Make a file."""
        check(path, author)
        entry = Entry(
            path=path,
            at=author.at,
            origin=author.origin,
            by=author.by,
            outside=author.outside,
            content=clean(text).replace("\r\n", "\n").strip(),
        )
        if not entry.content:
            raise ValueError("file_text is empty; write what should be remembered")
        with self._alone(), self._opened(path, create=True) as place:
            if content_of(place.folder, place.name) is not None:
                raise ValueError(f"File {shown(path)} already exists")
            self._write(place, render(entry).encode())
        return f"File created successfully at: {shown(path)}"

    def replace(self, path: str, old: str, new: str, author: Author) -> str:
        """Replace the one place where a file says `old`."""
        check(path, author)
        with self._alone(), self._opened(path) as place:
            before = place.content()
            text = text_of(before)
            at = _only_place(text, old, path)
            after = text[:at] + guarded(clean(new), known=old) + text[at + len(old) :]
            self._change(place, before, after, author, "str_replace")
        number = text.count("\n", 0, at) + 1
        return (
            "The memory file has been edited. Here is the snippet showing the change (with line numbers):\n"
            + numbered(after, number - _AROUND, number + new.count("\n") + _AROUND)
        )

    def insert(self, path: str, line: int, text: str, author: Author) -> str:
        """Put a text after a line; 0 is before the first."""
        check(path, author)
        with self._alone(), self._opened(path) as place:
            before = place.content()
            lines = text_of(before).removesuffix("\n").split("\n")
            if not 0 <= line <= len(lines):
                raise ValueError(
                    f"Invalid `insert_line` parameter: {line}. It should be within the range [0, {len(lines)}]."
                )
            lines.insert(line, guarded(clean(text).rstrip("\n")))
            self._change(place, before, "\n".join(lines) + "\n", author, "insert")
        return f"The file {shown(path)} has been edited."

    def delete(self, path: str, author: Author) -> str:
        """Remove a file."""
        check(path, author)
        with self._alone(), self._opened(path) as place:
            self._keep(path, place.content(), author, "delete")
            os.unlink(place.name, dir_fd=place.folder)
            os.fsync(place.folder)
        return f"Successfully deleted {shown(path)}"

    def rename(self, path: str, new: str, author: Author) -> str:
        """Give a file another path."""
        check(path, author)
        check(new, author)
        if path.startswith(QUARANTINE) != new.startswith(QUARANTINE):
            raise ValueError("only the user moves notes into quarantine or out of it; tell them what you would move")
        with self._alone(), self._opened(path) as place, self._opened(new, create=True) as to:
            content = place.content()
            if content_of(to.folder, to.name) is not None:
                raise ValueError(f"The destination {shown(new)} already exists")
            self._keep(path, content, author, "rename")
            os.rename(place.name, to.name, src_dir_fd=place.folder, dst_dir_fd=to.folder)
            os.fsync(to.folder)
            os.fsync(place.folder)
        return f"Successfully renamed {shown(path)} to {shown(new)}"

    def restore(self, path: str, name: str, at: datetime) -> None:
        """Let a file hold what it held in a version; what it holds now becomes one."""
        content = self._versions.read(path, name)
        with self._alone(), self._opened(path, create=True) as place:
            now = content_of(place.folder, place.name)
            if now is not None:
                self._versions.keep(path, now, at=at, change="revert", by="")
            replace_file(place.folder, place.name, content)

    def accept(self, path: str, at: datetime) -> str:
        """Move a file out of quarantine, its notes no longer marked; return its new path. For the owner alone."""
        if not path.startswith(QUARANTINE):
            raise ValueError(f"{path!r} is not in quarantine")
        new = path.removeprefix(QUARANTINE)
        with self._alone(), self._opened(path) as place, self._opened(new, create=True) as to:
            content = place.content()
            before = content_of(to.folder, to.name) or b""
            self._versions.keep(path, content, at=at, change="accept", by="")
            gap = b"\n" if before else b""
            self._write(to, before + gap + unmarked(text_of(content)).encode())
            os.unlink(place.name, dir_fd=place.folder)
            os.fsync(place.folder)
        return new

    def _change(self, place: Place, before: bytes, after: str, author: Author, change: str) -> None:
        self._keep(place.path, before, author, change)
        self._write(place, after.encode())

    def _keep(self, path: str, content: bytes, author: Author, change: str) -> None:
        self._versions.keep(path, content, at=author.at, change=change, by=author.by)

    def _write(self, place: Place, content: bytes) -> None:
        if len(content) > MAX_FILE:
            raise ValueError(f"{shown(place.path)} would be {len(content):,} bytes, at most {MAX_FILE:,} are kept")
        replace_file(place.folder, place.name, content)

    def _alone(self) -> AbstractContextManager[None]:
        return alone(self._folder, self._writing)

    @contextmanager
    def _opened(self, path: str, *, create: bool = False) -> Generator[Place]:
        try:
            with opened(self._folder) as tree:
                folder, name = tree.open_folder(path, create=create)
                try:
                    yield Place(folder, name, path)
                finally:
                    os.close(folder)
        except Failure as exc:
            raise (ValueError(str(exc)) if create else missing(path)) from exc


def shown(path: str) -> str:
    """Return a path as the memory tool writes it."""
    return f"/memories/{path}" if path else "/memories"


def missing(path: str) -> NotFound:
    """Return the error for a path at which there is nothing."""
    return NotFound(f"The path {shown(path)} does not exist. Please provide a valid path.")


def check(path: str, author: Author) -> None:
    """Refuse a path at which no note may stand, and one that `author` may not change.

    Raises:
        ValueError: with the reason.
    """
    if not is_note(path):
        raise ValueError(
            f"{shown(path)} is no place for notes: they are markdown files such as /memories/topics/tea.md, "
            f"below {', '.join(f'/memories/{name}' for name in FOLDERS)}"
        )
    if author.outside and not path.startswith(QUARANTINE):
        raise ValueError(
            "this conversation has read text from outside, so what it writes is kept apart until the user has looked "
            f"at it: use {shown(QUARANTINE + path)} instead"
        )


def numbered(text: str, first: int = 1, last: int | None = None) -> str:
    """Return lines of a text with their numbers, as the memory tool shows them."""
    lines = text.split("\n")
    begin = max(first, 1)
    return "\n".join(f"{number:6}\t{line}" for number, line in enumerate(lines[begin - 1 : last], start=begin))


def _only_place(text: str, old: str, path: str) -> int:
    count = text.count(old) if old else 0
    if not count:
        raise ValueError(f"No replacement was performed, old_str `{old}` did not appear verbatim in {shown(path)}.")
    if count > 1:
        places = [match.start() for match in re.finditer(re.escape(old), text)]
        lines = ", ".join(str(text.count("\n", 0, place) + 1) for place in places[:20])
        raise ValueError(
            f"No replacement was performed. Multiple occurrences of old_str `{old}` in lines: {lines}. "
            "Please ensure it is unique"
        )
    return text.index(old)
