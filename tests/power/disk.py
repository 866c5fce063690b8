"""A disk in memory that can lose its power.

Promises that `image` holds everything that was synced and, of what was not, any part of any write: sectors come apart
and survive in no order, sizes and names too. Bytes outside a write are left alone, as SQLite assumes of a disk
(https://sqlite.org/psow.html). Knows no database.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import NamedTuple

SECTOR = 512
Image = Mapping[str, bytes]


class Op(NamedTuple):
    """One change of the disk. `content` None: the file is cut to `at` bytes, or `at` is SYNC or DELETE."""

    name: str
    at: int
    content: bytes | None = None


SYNC, DELETE = -1, -2


@dataclass(slots=True)
class _File:
    now: bytearray = field(default_factory=bytearray)
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Op] = field(default_factory=list[Op])
    pieces: list[Op] = field(default_factory=list[Op])
    """What survives each for itself, of the first `split` pending writes."""
    split: int = 0
    named: bool = False
    """Its name survives a power cut."""
    deleted: bool = False


class Disk:
    """Files by name. `record` hears each change after it was made."""

    def __init__(self, image: Image | None = None, *, record: Callable[[Op], None] = lambda op: None) -> None:
        self._files = {
            name: _File(now=bytearray(content), synced=bytearray(content), named=True)
            for name, content in (image or {}).items()
        }
        self._record = record

    def exists(self, name: str) -> bool:
        """Return whether the running program sees this file."""
        return name in self._files and not self._files[name].deleted

    def read(self, name: str, size: int, at: int) -> bytes:
        """Return up to `size` bytes, synced or not."""
        return bytes(self._files[name].now[at : at + size])

    def size(self, name: str) -> int:
        """Return the length of a file, 0 if it is not there."""
        return len(self._files[name].now) if self.exists(name) else 0

    def open(self, name: str) -> None:
        """Make a file, if it is not there."""
        if not self.exists(name):
            self._files[name] = _File()

    def write(self, name: str, content: bytes, at: int) -> None:
        """Write without syncing."""
        self.apply(Op(name, at, bytes(content)))

    def truncate(self, name: str, size: int) -> None:
        """Cut a file without syncing."""
        self.apply(Op(name, size))

    def sync(self, name: str) -> None:
        """Make a file's content and its name survive."""
        self.apply(Op(name, SYNC))

    def delete(self, name: str) -> None:
        """Remove a file; a power cut may bring it back."""
        self.apply(Op(name, DELETE))

    def apply(self, op: Op) -> None:
        """Make one change, as it was recorded."""
        if op.at != DELETE:
            self.open(op.name)
        file = self._files[op.name]
        if op.at == SYNC:
            for earlier in file.pending:
                _patch(file.synced, earlier)
            file.pending, file.pieces, file.split = [], [], 0
            if not file.named:
                self._sync_names()
        elif op.at == DELETE:
            file.deleted = True
        else:
            _patch(file.now, op)
            file.pending.append(op)
        self._record(op)

    def _sync_names(self) -> None:
        # SQLite syncs the folder with the first sync of a file that it made, and so every name that was made or removed.
        self._files = {name: file for name, file in self._files.items() if not file.deleted}
        for file in self._files.values():
            file.named = True

    def kept(self) -> Image:
        """Return what is there when only the program dies: all that was written, synced or not."""
        return {name: bytes(file.now) for name, file in self._files.items() if not file.deleted}

    def image(self, rng: Random) -> Image:
        """Return one of the contents that a power cut at this moment may leave."""
        # Sometimes nothing unsynced survives, sometimes all of it, mostly a part.
        odds = rng.choice((0.0, 0.1, 0.5, 0.9, 1.0))
        left: dict[str, bytes] = {}
        for name, file in self._files.items():
            gone = rng.random() < 0.5 if file.deleted else not file.named and rng.random() >= odds
            if not gone:
                left[name] = _after_a_cut(file, rng, odds)
        return left


def _after_a_cut(file: _File, rng: Random, odds: float) -> bytes:
    if odds == 1.0:
        return bytes(file.now)
    for op in file.pending[file.split :]:
        file.pieces.extend(_sectors(op))
    file.split = len(file.pending)
    content = bytearray(file.synced)
    for piece in file.pieces if odds else ():
        if rng.random() < odds:
            _patch(content, piece)
    if len(content) < len(file.now) and rng.random() < odds:
        content.extend(bytes(len(file.now) - len(content)))  # the size survived, and the content did not
    return bytes(content)


def _sectors(op: Op) -> Iterator[Op]:
    """Return the parts of a write that survive each for itself."""
    if op.content is None:
        yield op
        return
    start, end = op.at, op.at + len(op.content)
    while start < end:
        stop = min(end, (start // SECTOR + 1) * SECTOR)
        yield Op(op.name, start, op.content[start - op.at : stop - op.at])
        start = stop


def _patch(content: bytearray, op: Op) -> None:
    if op.content is None:
        del content[op.at :]
        content.extend(bytes(op.at - len(content)))
        return
    if len(content) < op.at:
        content.extend(bytes(op.at - len(content)))
    content[op.at : op.at + len(op.content)] = op.content
