"""Landlock: walls that the tool process raises around itself, where there is no bubblewrap.

Promises an argument list. What it is worth is found out by the probe. Knows no session.
"""

import os
import sys
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from pathlib import Path

from picklebot.sandbox.apart import ApartLauncher
from picklebot.sandbox.places import PACKAGE, View, view_of
from picklebot.toolhost.landlock import NEEDED, version
from picklebot.toolhost.walls import Walls


def missing() -> str:
    """Return why there is no Landlock here; "" if there is."""
    found = version()
    return "" if found >= NEEDED else f"Landlock has version {found} here, and {NEEDED} is needed (Linux 6.12)"


class LandlockLauncher(ApartLauncher):
    """Runs tool processes that shut themselves in. `bound` goes before the program, and bounds how many may be below it.

    A command cannot change modes, makes nothing new at the top of the workspace, and can tell which process numbers are
    taken, though not whose they are: there are no namespaces. Each process makes itself a folder, and calls it home.
    """

    def __init__(self, *, memory_mb: int, network: bool, bound: Callable[[], Sequence[str]] = tuple) -> None:
        super().__init__(memory_mb=memory_mb, network=network)
        self.bound = bound

    def stamp(self, root: Path) -> Hashable:
        """Nothing changes what it sees: each command is shut in anew."""
        return None

    def walls(self, root: Path, *, writable: bool) -> Walls:
        """Return what may be read, and what is fixed in the workspace."""
        return self._around(view_of(root, writable=writable, network=self._network))

    def _around(self, view: View) -> Walls:
        root, own = view.root, (PACKAGE, Path(sys.prefix).resolve())
        fixed = [path.relative_to(root).parts[0] for path in own if path.is_relative_to(root) and path != root]
        readable = [os.path.realpath(path) for path in view.readable]
        return Walls(readable=readable, fixed=fixed, writable=view.writable, network=self._network)

    def _inside(self, mode: str, view: View) -> list[str]:
        return [*self.bound(), *self._program(mode, view.root, self._around(view).to_json())]

    def _staying(self, view: View, command: Sequence[str]) -> list[str]:
        walls = replace(self._around(view), fixed=())
        return [*self.bound(), *self._program("stay", view.root, walls.to_json(), *command)]
