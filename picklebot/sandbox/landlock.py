"""Landlock: walls that the tool process raises around itself, where there is no bubblewrap.

Promises an argument list. What it is worth is found out by the probe. Knows no session.
"""

import os
import sys
from collections.abc import Callable, Hashable, Mapping, Sequence
from pathlib import Path

from picklebot.core.rights import Sandbox
from picklebot.sandbox.bubblewrap import ENVIRONMENT
from picklebot.sandbox.places import PACKAGE, occupy, room_of, view_of
from picklebot.toolhost.landlock import NEEDED, version
from picklebot.toolhost.walls import Walls
from picklebot.tools.launcher import PROGRAM, PlainLauncher

_LOCALE = ("LANG", "LC_ALL", "TERM", "TZ")


def missing() -> str:
    """Return why there is no Landlock here; "" if there is."""
    found = version()
    return "" if found >= NEEDED else f"Landlock has version {found} here, and {NEEDED} is needed (Linux 6.12)"


class LandlockLauncher:
    """Runs tool processes that shut themselves in. `bound` goes before the program, and bounds how many may be below it.

    A command cannot change modes, makes nothing new at the top of the workspace, and can tell which process numbers are
    taken, though not whose they are: there are no namespaces.
    """

    def __init__(self, *, memory_mb: int, network: bool, bound: Callable[[], Sequence[str]] = tuple) -> None:
        self._memory_mb = memory_mb
        self._network = network
        self.bound = bound
        self._plain = PlainLauncher(memory_mb=memory_mb)

    def command(self, root: Path, sandbox: Sandbox) -> Sequence[str]:
        """Return the command line of a tool process."""
        if sandbox == "off":
            return self._plain.command(root, sandbox)
        occupy(root)
        return self._inside(root, "serve", writable=sandbox == "workspace")

    def resident(
        self, root: Path, command: Sequence[str], sandbox: Sandbox, *, further: Sequence[Path]
    ) -> Sequence[str]:
        """Return the command line of a program that stays, has `root` for its own, and sees what is `further`."""
        if sandbox == "off":
            return self._plain.resident(root, command, sandbox, further=further)
        view = room_of(root, further=further, network=self._network)
        readable = [os.path.realpath(path) for path in view.readable]
        walls = Walls(readable=readable, fixed=(), writable=True, network=self._network)
        return [*self._shut_in(root, "stay", walls), *command]

    def probe(self, root: Path) -> Sequence[str]:
        """Return the command line of a look around from inside."""
        return self._inside(root, "probe", writable=True)

    def stamp(self, root: Path) -> Hashable:
        """Nothing changes what it sees: each command is shut in anew."""
        return None

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        """Return the few variables that a command needs; the process makes itself a folder, and calls it home."""
        plain = self._plain.environment(sandbox)
        if sandbox == "off":
            return plain
        return {**ENVIRONMENT, **{name: plain[name] for name in _LOCALE if name in plain}}

    def walls(self, root: Path, *, writable: bool) -> Walls:
        """Return what may be read, and what is fixed in the workspace."""
        view = view_of(root, writable=writable, network=self._network)
        own = (PACKAGE, Path(sys.prefix).resolve())
        fixed = [path.relative_to(root).parts[0] for path in own if path.is_relative_to(root) and path != root]
        readable = [os.path.realpath(path) for path in view.readable]
        return Walls(readable=readable, fixed=fixed, writable=writable, network=self._network)

    def _inside(self, root: Path, mode: str, *, writable: bool) -> list[str]:
        return self._shut_in(root, mode, self.walls(root, writable=writable))

    def _shut_in(self, root: Path, mode: str, walls: Walls) -> list[str]:
        python = str(getattr(sys, "_base_executable", sys.executable))
        sockets = "open" if self._network else "closed"
        program = [python, "-I", "-S", str(PROGRAM), mode, str(root), str(self._memory_mb), sockets, walls.to_json()]
        return [*self.bound(), *program]
