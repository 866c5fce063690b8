"""The words for what is found in a workspace: kinds of definition, changes, problems, notes.

Promises values only. Knows nothing of how they come about.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, Literal, TypeAlias

from picklebot.definitions.spec import S

KindName: TypeAlias = Literal["agent", "cron", "skill"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind(Generic[S]):
    """Where one kind of definition lives, `<folder>/<id>/<file>`, and how it is read."""

    name: KindName
    folder: str
    file: str
    parse: Callable[[Path, str], tuple[S, list[str]]]
    flat: bool = False  #: `<folder>/<id>.md` is read too
    companion: Callable[[Path, str], Path] | None = None  #: a second file that a definition is made of


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A definition was added, altered, removed, mended (`error` None), or broken."""

    kind: KindName
    id: str
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """A definition or folder that is wrong. `line` 0: all of it. `in_force`: its last good version still counts."""

    kind: KindName
    id: str
    path: Path
    line: int
    message: str
    in_force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something that is not wrong, but may not be meant."""

    kind: KindName
    id: str
    path: Path
    message: str
