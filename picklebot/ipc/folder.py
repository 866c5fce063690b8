"""The folder through which the host and one agent speak.

Promises never to follow a link, to open nothing but ordinary files of bounded size below the folder, and to find its way
by descriptors: what is inside belongs to the agent, which may put anything there at any moment. Blocks; knows no
conversation.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Generator, Sequence
from pathlib import Path

from picklebot.core.text import shorten
from picklebot.ipc.letters import (
    MAX_BYTES,
    MAX_NOTE,
    Letter,
    Note,
    Unreadable,
    is_letter,
    note_id,
    order,
    read_letter,
)

MAX_WAITING = 1_000  #: files that are looked at in one folder; an agent that leaves more is ended
MAX_BAD = 100  #: files that are kept in ipc/bad
CLOSE = "_close"
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


class Crowded(Exception):
    """There is more in the folder than an agent may leave there, or something else stands in its place."""


class Folder:
    """An agent's own folder, `root`, with `ipc/` in it. `root` itself is the host's to make."""

    def __init__(self, root: Path) -> None:
        self.root = root

    @property
    def messages(self) -> Path:
        """Where the agent puts what it says."""
        return self.root / "ipc" / "messages"

    def prepare(self, *, void: bool = False) -> None:
        """Make what is needed, and take away what a program that is gone has left in its place, or has not read.

        With `void` also what it has said.
        """
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _folder(self.root) as top:
            _make(top, "ipc")
            with _folder("ipc", top) as ipc:
                for name in ("input", "messages", "bad"):
                    _make(ipc, name)
                with contextlib.suppress(OSError):
                    os.unlink(CLOSE, dir_fd=ipc)
                for name in ("input", "messages") if void else ("input",):
                    with _folder(name, ipc) as inner:
                        _clear(inner)

    def write(self, note: Note, name: str) -> None:
        """Give the agent something to read.

        Raises:
            Crowded: the folder is not as it was made.
        """
        with self._inside("input") as inputs:
            _put(inputs, name, note.to_json().encode())

    def unread(self) -> set[str]:
        """Return the ids of the messages that the agent has not taken away yet."""
        with self._inside("input") as inputs:
            return {event_id for name in _names(inputs) if (event_id := note_id(_bytes(inputs, name, MAX_NOTE)))}

    def take_back(self, names: Sequence[str]) -> None:
        """Take away what the agent need not read any more."""
        with self._inside("input") as inputs:
            _unlink(inputs, names)

    def waiting(self) -> list[str]:
        """Return the names of what the agent has said, oldest first; none where it never had a folder.

        Raises:
            Crowded: there is too much of it.
        """
        try:
            with self._inside("messages") as messages:
                return sorted(_names(messages), key=order)
        except Crowded:
            if (self.root / "ipc").is_dir():
                raise
            return []

    def read(self, name: str) -> Letter:
        """Return what the agent said in a file.

        Raises:
            Unreadable: it is no letter, and why.
        """
        with self._inside("messages") as messages:
            raw = _bytes(messages, name, MAX_BYTES + 1)
            if raw is None:
                raise Unreadable("it is no ordinary file of its own, or may not be read")
            return read_letter(name, raw)

    def discard(self, names: Sequence[str]) -> None:
        """Take away what was delivered."""
        with self._inside("messages") as messages:
            _unlink(messages, names)

    def reject(self, name: str, why: str) -> None:
        """Move a file to ipc/bad with the reason beside it; where that is full or no folder, take it away."""
        with self._inside("messages") as messages:
            try:
                with self._inside("bad") as bad:
                    if len(_names(bad, every=True)) < 2 * MAX_BAD:
                        os.rename(name, name, src_dir_fd=messages, dst_dir_fd=bad)
                        _put(bad, f"{name}.reason.txt", f"{shorten(why, 500)}\n".encode())
                        return
            except (OSError, Crowded):
                pass
            _unlink(messages, [name])

    def close(self) -> None:
        """Ask the agent to finish up and exit."""
        with self._inside() as ipc:
            _put(ipc, CLOSE, b"")

    @contextlib.contextmanager
    def _inside(self, name: str = "") -> Generator[int, None, None]:
        with contextlib.ExitStack() as stack:
            try:
                found = stack.enter_context(_folder("ipc", stack.enter_context(_folder(self.root))))
                if name:
                    found = stack.enter_context(_folder(name, found))
            except OSError as exc:
                raise Crowded(f"its ipc/{name} is not the folder that it was: {exc.strerror}") from exc
            yield found


@contextlib.contextmanager
def _folder(path: "Path | str", above: int | None = None) -> Generator[int, None, None]:
    fd = os.open(path, _FOLDER, dir_fd=above)
    try:
        yield fd
    finally:
        os.close(fd)


def _make(above: int, name: str) -> None:
    """Make a folder; what else stands there goes."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=above)
    if not stat.S_ISDIR(os.stat(name, dir_fd=above, follow_symlinks=False).st_mode):
        os.unlink(name, dir_fd=above)
        os.mkdir(name, 0o700, dir_fd=above)
    os.chmod(name, 0o700, dir_fd=above)  # no program runs that could put something else there


def _names(folder: int, *, every: bool = False) -> list[str]:
    """Return the names of files that are meant to be read, or of everything."""
    found: list[str] = []
    with os.scandir(folder) as entries:
        for count, entry in enumerate(entries):
            if count >= MAX_WAITING:
                raise Crowded(f"it left more than {MAX_WAITING:,} files in one folder")
            if every or is_letter(entry.name):
                found.append(entry.name)
    return found


def _bytes(folder: int, name: str, most: int) -> bytes | None:
    """Return what an ordinary file begins with; None where it is none, whatever else stands there."""
    try:
        fd = os.open(name, _FILE, dir_fd=folder)
    except OSError:
        return None
    try:
        found = os.fstat(fd)
        if not stat.S_ISREG(found.st_mode) or found.st_nlink != 1:
            return None
        with open(fd, "rb", closefd=False) as file:
            return file.read(most)
    finally:
        os.close(fd)


def _put(folder: int, name: str, content: bytes) -> None:
    """Write a file whole: under another name first. One that is there is replaced."""
    draft = f".{name}.draft"
    _unlink(folder, [draft])
    fd = os.open(draft, _NEW, 0o600, dir_fd=folder)
    with os.fdopen(fd, "wb") as file:
        file.write(content)
    os.rename(draft, name, src_dir_fd=folder, dst_dir_fd=folder)


def _unlink(folder: int, names: Sequence[str]) -> None:
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            try:
                os.unlink(name, dir_fd=folder)
            except IsADirectoryError:
                shutil.rmtree(name, ignore_errors=True, dir_fd=folder)


def _clear(folder: int) -> None:
    with os.scandir(folder) as entries:
        _unlink(folder, [entry.name for entry in entries])
