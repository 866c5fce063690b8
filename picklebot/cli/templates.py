"""The files that a new workspace begins with.

They are the repository's own agents, jobs, skills and settings: packed into the package when it is built, and found
beside it where it runs from its sources. Knows nothing of where they go.
"""

from collections.abc import Iterator
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path, PurePosixPath

from picklebot.errors import PicklebotError

SETTINGS = "config.yaml"
_FOLDERS = ("agents", "crons", "skills")


def templates() -> dict[PurePosixPath, str]:
    """Return the text of each file, by its path in the workspace.

    Raises:
        PicklebotError: this installation lacks them.
    """
    top = _top()
    found = {PurePosixPath(SETTINGS): (top / SETTINGS).read_text(encoding="utf-8")}
    for folder in _FOLDERS:
        if (top / folder).is_dir():
            found.update(_below(top / folder, PurePosixPath(folder)))
    return found


def _top() -> Traversable:
    package = resources.files("picklebot")
    packed = package / "templates"
    if (packed / SETTINGS).is_file():
        return packed
    beside = Path(str(package)).parent
    if (beside / SETTINGS).is_file() and (beside / "agents").is_dir():
        return beside
    raise PicklebotError("this installation lacks the files that a new workspace begins with: install picklebot again")


def _below(folder: Traversable, path: PurePosixPath) -> Iterator[tuple[PurePosixPath, str]]:
    for entry in sorted(folder.iterdir(), key=lambda each: each.name):
        if entry.name.startswith((".", "__")):
            continue
        if entry.is_dir():
            yield from _below(entry, path / entry.name)
        elif entry.name.endswith(".md"):
            yield path / entry.name, entry.read_text(encoding="utf-8")
