"""The processes of this machine, as anybody can see them."""

from collections.abc import Iterator
from pathlib import Path


def running(*words: str) -> bool:
    """Return whether any process was called with these words."""
    return any(found == [*words] for found in _called())


def named(folder: Path, *files: str) -> bool:
    """Return whether any process was called with one of these files below `folder`."""
    return any(word.startswith(f"{folder}/") and word.endswith(files) for found in _called() for word in found)


def _called() -> Iterator[list[str]]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            yield path.read_text(errors="replace").split("\0")[:-1]
        except OSError:  # it is gone
            continue
