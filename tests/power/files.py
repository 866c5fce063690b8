"""What a power cut leaves of plain files, from the calls that a program made.

`recording` passes the calls of `os` on and keeps those that change something below one folder; `Record.image` then
gives what could be on disk at a moment. Promises that what was not synced may be there in part: content without its
file's fsync, a name without its folder's. Knows no program.
"""

import os
import stat
from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Literal

import pytest

from tests.power.disk import Disk

ROOT = -1  #: the folder that is watched; other folders count down from here, files up from 1
Kind = Literal["link", "rename", "unlink", "write", "sync file", "sync folder"]


@dataclass(frozen=True, slots=True)
class Call:
    """A change of one file or of one folder's names. `number` is what it changes."""

    kind: Kind
    number: int
    name: str = ""
    new: str | int = ""
    content: bytes = b""


@dataclass(slots=True)
class Record:
    """The calls, and between them what the program promised: the path of a file and what it holds."""

    calls: list[Call | tuple[str, bytes]] = field(default_factory=list[Call | tuple[str, bytes]])

    def promise(self, path: str, content: bytes) -> None:
        """Note that a file is said to be on disk."""
        self.calls.append((path, content))

    def image(self, moment: int, rng: Random) -> Mapping[str, bytes]:
        """Return files by path, as a power cut after `moment` entries may leave them."""
        disk = Disk()
        folders: dict[int, dict[str, int]] = {ROOT: {}}
        pending: list[Call] = []
        for call in self.calls[:moment]:
            if not isinstance(call, Call):
                continue
            match call.kind:
                case "write":
                    disk.write(str(call.number), call.content, disk.size(str(call.number)))
                case "sync file":
                    disk.sync(str(call.number))
                case "sync folder":
                    for earlier in pending:
                        if earlier.number == call.number:
                            _apply(folders, earlier)
                    pending = [earlier for earlier in pending if earlier.number != call.number]
                case _:
                    pending.append(call)
        for call in pending[: rng.randint(0, len(pending))]:  # a journal keeps names in their order
            _apply(folders, call)
        contents = disk.image(rng)
        return {path: contents.get(str(number), b"") for path, number in _walk(folders, ROOT, "")}


@contextmanager
def recording(folder: Path, *, deaf: bool = False) -> Generator[Record]:
    """Record what is done below `folder`. `deaf`: as if nobody had called fsync on a file."""
    recorder = _Recorder(folder, deaf=deaf)
    with pytest.MonkeyPatch.context() as patch:
        for name in ("open", "write", "fsync", "rename", "unlink", "mkdir"):
            recorder.real[name] = getattr(os, name)
            patch.setattr(os, name, getattr(recorder, name))
        yield recorder.record


class _Recorder:
    """Stands in for the functions of `os` that change files. Numbers are its own, because inodes are used again."""

    def __init__(self, folder: Path, *, deaf: bool) -> None:
        self.record = Record()
        self.real: dict[str, Any] = {}
        self._deaf = deaf
        self._numbers = {folder.stat().st_ino: ROOT}
        self._files = 0

    def open(self, path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
        fd: int = self.real["open"](path, flags, mode, dir_fd=dir_fd)
        folder = self._folder(path, dir_fd)
        if flags & os.O_CREAT and folder is not None:
            self._files += 1
            self._numbers[os.fstat(fd).st_ino] = self._files
            self._note("link", folder, Path(path).name, self._files)
        return fd

    def write(self, fd: int, content: Any) -> int:
        written: int = self.real["write"](fd, content)
        if (number := self._numbers.get(os.fstat(fd).st_ino)) is not None:
            self.record.calls.append(Call("write", number, content=bytes(content[:written])))
        return written

    def fsync(self, fd: int) -> None:
        self.real["fsync"](fd)
        status = os.fstat(fd)
        if (number := self._numbers.get(status.st_ino)) is not None:
            if stat.S_ISDIR(status.st_mode):
                self._note("sync folder", number)
            elif not self._deaf:
                self._note("sync file", number)

    def rename(self, src: Any, dst: Any, *, src_dir_fd: int | None = None, dst_dir_fd: int | None = None) -> None:
        self.real["rename"](src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
        folder, to = self._folder(src, src_dir_fd), self._folder(dst, dst_dir_fd)
        if folder is None or to is None:
            assert folder is to, "nothing is moved into the folder or out of it"
        elif folder == to:
            self._note("rename", folder, Path(src).name, Path(dst).name)
        else:  # no less can be left than of a file that has the new name before it loses the old
            number = self._numbers[os.stat(dst, dir_fd=dst_dir_fd).st_ino]
            self._note("link", to, Path(dst).name, number)
            self._note("unlink", folder, Path(src).name)

    def unlink(self, path: Any, *, dir_fd: int | None = None) -> None:
        folder = self._folder(path, dir_fd)
        self.real["unlink"](path, dir_fd=dir_fd)
        if folder is not None:
            self._note("unlink", folder, Path(path).name)

    def mkdir(self, path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        self.real["mkdir"](path, mode, dir_fd=dir_fd)
        folder = self._folder(path, dir_fd)
        if folder is not None:
            number = ROOT - len(self._numbers)
            self._numbers[os.stat(path, dir_fd=dir_fd).st_ino] = number
            self._note("link", folder, Path(path).name, number)

    def _note(self, kind: Kind, number: int, name: str = "", new: str | int = "") -> None:
        self.record.calls.append(Call(kind, number, name, new))

    def _folder(self, path: Any, dir_fd: int | None) -> int | None:
        above = Path(path).parent
        status = above.stat() if dir_fd is None else os.stat(above, dir_fd=dir_fd)
        return self._numbers.get(status.st_ino)


def _apply(folders: dict[int, dict[str, int]], call: Call) -> None:
    folder = folders.setdefault(call.number, {})
    if isinstance(call.new, int):
        folder[call.name] = call.new
    elif (number := folder.pop(call.name, None)) is not None and call.new:
        folder[call.new] = number


def _walk(folders: Mapping[int, Mapping[str, int]], folder: int, above: str) -> Iterator[tuple[str, int]]:
    for name, number in folders.get(folder, {}).items():
        if number < 0:
            yield from _walk(folders, number, f"{above}{name}/")
        else:
            yield f"{above}{name}", number
