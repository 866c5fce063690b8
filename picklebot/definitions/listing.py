"""Which definitions a folder holds: names only, no file is opened.

Promises a path for each valid id, and a problem or a note for whatever looks like a definition and is none. Knows
nothing of what stands in the files.
"""

from pathlib import Path
from typing import Any

from picklebot.definitions.kinds import Kind, Note, Problem
from picklebot.definitions.values import is_id

MAX_DEFINITIONS = 5_000  #: of one kind; more is an accident, such as an archive unpacked in the wrong place
_PROSE = frozenset({"readme", "changelog", "license"})


class Listing:
    """One look at a folder. `files` is None when it could not be read, so that nothing is taken for removed."""

    def __init__(self, root: Path, kind: Kind[Any]) -> None:
        self.files: dict[str, Path] | None = {}
        self.problems: list[Problem] = []
        self.notes: list[Note] = []
        self._root = root
        self._kind = kind
        self._empty: list[str] = []
        try:
            names = sorted(path.name for path in root.iterdir())
        except FileNotFoundError:
            return
        except OSError as exc:
            self.files = None
            self._wrong("", f"the folder cannot be read: {exc.strerror}")
            return
        self.files = self._find(names)

    def _find(self, names: list[str]) -> dict[str, Path]:
        folders: dict[str, Path] = {}
        flats: dict[str, Path] = {}
        for name in names:
            path = self._root / name
            if name.startswith("."):
                continue
            if _is_there(path / self._kind.file):
                self._add(folders, name, path / self._kind.file)
            elif path.is_dir():
                self._empty.append(name)
            elif path.suffix.lower() == ".md" and path.stem.lower() not in _PROSE:
                self._loose(flats, path)
            elif path.is_symlink():
                self._note(name, path, "this link leads nowhere")
        for name in flats.keys() & folders.keys():
            self._note(name, flats[name], f"this file is not read: {folders[name]} is there and wins")
        for name in self._empty:
            if name not in flats:
                self._note(name, self._root / name, self._missing(name))
        return self._capped({**flats, **folders})

    def _add(self, found: dict[str, Path], name: str, path: Path) -> None:
        if is_id(name):
            found[name] = path
        else:
            shown = ascii(name)[1:-1][:64]  # a file's name may hold bytes that no log can print
            rule = "letters, digits, '-' and '_', 64 at most, a letter or digit first"
            self._wrong(shown, f"'{shown}' cannot be the id of {self._article()}: use {rule}")

    def _loose(self, flats: dict[str, Path], path: Path) -> None:
        if self._kind.flat:
            self._add(flats, path.stem, path)
        else:
            better = f"{self._kind.folder}/{path.stem}/{self._kind.file}"
            self._note(path.stem, path, f"this file is not read: {self._article()} is {better}")

    def _missing(self, name: str) -> str:
        try:
            inside = [path.name for path in (self._root / name).iterdir()]
        except OSError as exc:
            return f"the folder cannot be read: {exc.strerror}"
        others = [file for file in inside if file.lower() == self._kind.file.lower()]
        hint = f": rename {others[0]}" if others else ""
        return f"the folder holds no {self._kind.file}{hint}"

    def _capped(self, found: dict[str, Path]) -> dict[str, Path]:
        if len(found) > MAX_DEFINITIONS:
            self._wrong("", f"of {len(found):,} definitions only the first {MAX_DEFINITIONS:,} by name are read")
        return dict(sorted(found.items())[:MAX_DEFINITIONS])

    def _article(self) -> str:
        return f"an {self._kind.name}" if self._kind.name == "agent" else f"a {self._kind.name}"

    def _wrong(self, name: str, message: str) -> None:
        self.problems.append(Problem(kind=self._kind.name, id=name, path=self._root, line=0, message=message))

    def _note(self, name: str, path: Path, message: str) -> None:
        self.notes.append(Note(kind=self._kind.name, id=name, path=path, message=message))


def _is_there(path: Path) -> bool:
    """Return whether anything is at `path`, or something keeps us from knowing; reading it will tell."""
    try:
        path.lstat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    except OSError:
        return True
    return True
