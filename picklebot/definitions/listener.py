"""What is worth hearing of where definitions lie.

Promises to ring after every change that may be one of a definition, and once more whenever listening begins anew.
Knows nothing of what changed and why.
"""

from collections.abc import Callable, Collection
from pathlib import Path

from picklebot.listening import Ear

_RETRY = 5.0  # seconds until folders that could not be watched are tried again


class Listener:
    """Listens to `root`, to `folders` in it, and to each folder in those; not to anything deeper.

    `ring` is called on the loop.
    """

    def __init__(
        self, root: Path, *, folders: Collection[str], names: Collection[str], ring: Callable[[], None]
    ) -> None:
        self._root = root
        self._tops = frozenset(folders)
        self._names = frozenset(names)
        self._ring = ring
        self._watched: set[Path] = set()
        self._ear = Ear(f"definitions in {root}", folders=self._watch, heard=self._heard, retry=_RETRY)

    @property
    def listening(self) -> bool:
        """Whether changes are being heard at all."""
        return self._ear.listening

    def start(self) -> None:
        """Begin; the first ring says that the folders are watched."""
        self._ear.start()

    async def close(self) -> None:
        """Stop listening; on return the thread is gone."""
        await self._ear.close()

    def _watch(self) -> Collection[Path]:
        self._watched = self._folders()
        return self._watched

    def _heard(self, changed: Collection[Path] | None) -> bool:
        if changed is None or any(map(self._matters, changed)):
            self._ear.tell(self._ring)
        return not changed or self._folders() == self._watched

    def _folders(self) -> set[Path]:
        """Return the folders worth listening to, as they are now; none while the root is not there."""
        found = {self._root} if self._root.is_dir() else set[Path]()
        for top in self._tops:
            try:
                inside = [path for path in (self._root / top).iterdir() if path.is_dir()]
            except OSError:
                continue
            found |= {self._root / top, *inside}
        return found

    def _matters(self, path: Path) -> bool:
        if path.name in self._names or path.parent.name in self._tops:
            return True
        return path.parent == self._root and path.name in self._tops
