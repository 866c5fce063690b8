"""The definitions of one kind, read again when they change.

Promises that a broken file keeps its last good version in force and is named as a problem, that a removed one is
forgotten, and that no file stops the others. Opens only what changed since the last look. Knows nothing of what the
definitions say and of who wants to know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeAlias

from picklebot.definitions.kinds import Change, Kind, Note, Problem
from picklebot.definitions.listing import Listing
from picklebot.definitions.spec import S
from picklebot.errors import DefinitionError

_Signature: TypeAlias = tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry(Generic[S]):
    path: Path
    signature: _Signature
    spec: S | None
    error: DefinitionError | None
    notes: tuple[str, ...]


class Shelf(Generic[S]):
    """What one folder holds. `specs`, `problems` and `notes` are replaced by a scan, never altered."""

    def __init__(self, workspace: Path, kind: Kind[S]) -> None:
        self.specs: Mapping[str, S] = MappingProxyType({})
        self.problems: tuple[Problem, ...] = ()
        self.notes: tuple[Note, ...] = ()
        self._kind = kind
        self._root = workspace / kind.folder
        self._entries: dict[str, _Entry[S]] = {}

    def scan(self) -> list[Change]:
        """Look again; return what is different."""
        listing = Listing(self._root, self._kind)
        changes: list[Change] = []
        if listing.files is not None:
            gone = [name for name in self._entries if name not in listing.files]
            for name in gone:
                del self._entries[name]
                changes.append(Change(kind=self._kind.name, id=name))
            changes += [change for name, path in listing.files.items() if (change := self._refresh(name, path))]
        self._publish(listing)
        return changes

    def _refresh(self, name: str, path: Path) -> Change | None:
        # Signed before it is read: what is written meanwhile shows as a change at the next look.
        signature = self._sign(name, path)
        old = self._entries.get(name)
        if old is not None and (old.path, old.signature) == (path, signature):
            return None
        spec = old.spec if old else None
        error: DefinitionError | None = None
        notes: list[str] = []
        try:
            spec, notes = self._kind.parse(path, name)
        except DefinitionError as exc:
            error = exc
        self._entries[name] = _Entry(path=path, signature=signature, spec=spec, error=error, notes=tuple(notes))
        if old is not None and spec == old.spec and str(error) == str(old.error):
            return None
        return Change(kind=self._kind.name, id=name, error=str(error) if error else None)

    def _sign(self, name: str, path: Path) -> _Signature:
        paths = (path,) if self._kind.companion is None else (path, self._kind.companion(path, name))
        return tuple(_stat(file) for file in paths)

    def _publish(self, listing: Listing) -> None:
        kind = self._kind.name
        problems, notes = listing.problems, listing.notes
        for name, entry in self._entries.items():
            if exc := entry.error:
                in_force = entry.spec is not None
                problems.append(
                    Problem(kind=kind, id=name, path=exc.path, line=exc.line, message=exc.reason, in_force=in_force)
                )
            notes += [Note(kind=kind, id=name, path=entry.path, message=note) for note in entry.notes]
        self.specs = MappingProxyType({name: e.spec for name, e in self._entries.items() if e.spec is not None})
        self.problems = tuple(problems)
        self.notes = tuple(notes)


def _stat(path: Path) -> tuple[int, ...]:
    # Clocks may be wrong and times may be set back, so any difference counts, in whichever direction.
    try:
        status = path.stat()
    except OSError as exc:
        return (exc.errno or -1,)
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
