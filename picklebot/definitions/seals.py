"""What each skill was when it was let in, file by file. One that is something else today is not used.

A skill is instructions, and its scripts run as commands: whoever can change it can change what agents do. So the files
that were there when it was first seen stay what counts, in a file of the state folder, until the owner takes the new
ones. Promises an atomic file, and that no link is followed. Reads files: call it off the loop. Knows no agent.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias, cast

from picklebot.definitions.skills import SkillSpec
from picklebot.errors import ConfigError

MAX_FILES, MAX_BYTES = 1_000, 100_000_000  #: of one skill
MAX_SEALS = 16_000_000  #: bytes of our own file
_SHOWN = 4  # names of files in a sentence

Files: TypeAlias = Mapping[str, str]
"""Path below the skill's folder -> SHA-256 of the file, or where a link leads."""


class TooLarge(ValueError):
    """A skill has more than anybody looks through."""


class Seals:
    """The files of skills as they were let in. Not for two threads at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hashed: dict[str, tuple[tuple[int, ...], str]] = {}  # by path: what tells a change, and the hash

    def look(self, skills: Mapping[str, SkillSpec], *, learn: bool) -> Mapping[str, str]:
        """Return which of the skills are not what was let in, and how; with `learn`, let in those never seen.

        Raises:
            ConfigError: the file of what was let in is damaged, or cannot be written.
        """
        known = self._read()
        withheld: dict[str, str] = {}
        for name, spec in skills.items():
            try:
                found = self.files(spec.path)
            except TooLarge as exc:
                withheld[name] = str(exc)
                continue
            if name not in known and learn:
                known[name] = dict(found)
                self._write(known)
            if words := difference(known.get(name, found), found):
                withheld[name] = f"it is not what was let in ({words})"
        return withheld

    def let_in(self, name: str, found: Files) -> Files | None:
        """Take these files as what a skill is; return what it was, None if it was never seen."""
        known = self._read()
        before = known.get(name)
        self._write({**known, name: dict(found)})
        return before

    def approve(self, path: str, content: bytes | None) -> None:
        """Take what the owner has approved as a file of a skill; `path` is below the workspace, None: it is removed.

        What else is in the folder counts as before.
        """
        kind, _, below = path.partition("/")
        name, _, file = below.partition("/")
        known = self._read() if kind == "skills" else {}
        if name not in known:
            return
        if content is None:
            del known[name]
        else:
            known[name][file] = hashlib.sha256(content).hexdigest()
        self._write(known)

    def files(self, folder: Path) -> Files:
        """Return the files of a skill.

        Raises:
            TooLarge: there are too many, or they are too big.
        """
        found: dict[str, str] = {}
        size = 0
        for path in _walk(folder):
            status = path.lstat()
            size += status.st_size
            if len(found) >= MAX_FILES or size > MAX_BYTES:
                raise TooLarge(f"it has more than {MAX_FILES:,} files or {MAX_BYTES // 1_000_000} MB")
            found[path.relative_to(folder).as_posix()] = self._hash(path, status)
        return found

    def _hash(self, path: Path, status: os.stat_result) -> str:
        if stat.S_ISLNK(status.st_mode):
            return f"-> {path.readlink()}"
        if not stat.S_ISREG(status.st_mode):
            return "no file"
        # The time of the last change of a file's status cannot be set by whoever changes it.
        told = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if (known := self._hashed.get(str(path))) is None or known[0] != told:
            with path.open("rb") as file:
                known = self._hashed[str(path)] = (told, hashlib.file_digest(file, "sha256").hexdigest())
        return known[1]

    def _read(self) -> dict[str, dict[str, str]]:
        try:
            with self._path.open("rb") as file:
                every: Any = json.loads(file.read(MAX_SEALS))
        except FileNotFoundError:
            return {}
        except ValueError as exc:
            raise ConfigError(f"{self._path} is damaged ({exc}); remove it, and skills are let in anew") from exc
        if not isinstance(every, dict):
            raise ConfigError(f"{self._path} is damaged; remove it, and skills are let in anew")
        return cast("dict[str, dict[str, str]]", every)

    def _write(self, every: Mapping[str, Files]) -> None:
        draft = self._path.with_suffix(".tmp")
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "w") as file:
            json.dump(every, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)


def difference(before: Files, now: Files) -> str:
    """Return how files differ, in words; "" if they do not."""
    parts = (
        ("changed", sorted(name for name in before.keys() & now.keys() if before[name] != now[name])),
        ("new", sorted(now.keys() - before.keys())),
        ("gone", sorted(before.keys() - now.keys())),
    )
    return "; ".join(f"{word}: {_named(names)}" for word, names in parts if names)


def _named(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def _walk(folder: Path) -> Iterator[Path]:
    """Yield every entry that is no folder, in order, but for what git keeps for itself."""
    for top, folders, names in os.walk(folder):
        links = [name for name in folders if (Path(top) / name).is_symlink()]
        folders[:] = sorted(name for name in folders if name not in {".git", *links})
        yield from (Path(top) / name for name in sorted([*names, *links]))
