"""What files of notes held before an agent changed them.

Promises that nothing an agent takes out of a note is gone: the version before each such change is kept, `KEPT` of them
for a file, where no agent can reach. Knows no tool.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from picklebot.errors import NotFound
from picklebot.memory.folder import make
from picklebot.tools.beneath import replace_file

KEPT = 50  #: versions of one file
_FORMAT = "%Y%m%dT%H%M%S%fZ"
_NAME = re.compile(r"(\d{6})-(\d{8}T\d{12}Z)-([a-z_]+)-by-([A-Za-z0-9_-]*)\.md")


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """A file as it was before a change: when that was, what it was, and which agent made it ("" for a person)."""

    path: str
    name: str
    at: datetime
    change: str
    by: str


class Versions:
    """The versions below one folder, in a folder for each file of notes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, path: str, content: bytes, *, at: datetime, change: str, by: str) -> None:
        """Keep a version; on return it is on disk."""
        place = self._folder / path
        make(place, mode=0o700)
        known = self.of(path)
        number = int(known[-1].name[:6]) + 1 if known else 1
        name = f"{number:06}-{at.astimezone(UTC):{_FORMAT}}-{change}-by-{by}.md"
        fd = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            replace_file(fd, name, content, mode=0o600)
            for old in known[: 1 - KEPT]:
                os.unlink(old.name, dir_fd=fd)
        finally:
            os.close(fd)

    def of(self, path: str) -> list[Version]:
        """Return the versions of a file, oldest first."""
        place = self._folder / path
        found = sorted(each.name for each in place.iterdir() if each.is_file()) if place.is_dir() else []
        return [version for name in found if (version := _version(path, name)) is not None]

    def all(self) -> Iterator[Version]:
        """Yield the versions of all files."""
        for place in sorted(self._folder.rglob("*.md")):
            if place.is_dir():
                yield from self.of(place.relative_to(self._folder).as_posix())

    def read(self, path: str, name: str) -> bytes:
        """Return what a version holds.

        Raises:
            NotFound: there is no such version.
        """
        known = self.of(path)
        if name not in {version.name for version in known}:
            raise NotFound(f"{path!r} has no version {name!r}; `picklebot memory history {path}` lists those there are")
        return (self._folder / path / name).read_bytes()


def _version(path: str, name: str) -> Version | None:
    if (match := _NAME.fullmatch(name)) is None:
        return None
    at = datetime.strptime(match[2], _FORMAT).replace(tzinfo=UTC)
    return Version(path=path, name=name, at=at, change=match[3], by=match[4])
