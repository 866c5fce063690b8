"""Starts tool processes inside a sandbox: the launcher of `picklebot.tools.launcher` that keeps them apart.

Promises that an agent gets the sandbox that its file names, and no process where that cannot be given. Knows no tool.
"""

import json
import sys
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from picklebot.core.rights import Sandbox
from picklebot.sandbox.bubblewrap import ENVIRONMENT, wrap
from picklebot.sandbox.places import View, occupy, room_of, stamp, view_of
from picklebot.tools.launcher import PROGRAM, PlainLauncher

_LOCALE = ("LANG", "LC_ALL", "TERM", "TZ")


class BubblewrapLauncher:
    """Runs tool processes under `program`, a bwrap. What has no sandbox by its agent's wish runs plainly."""

    def __init__(self, program: Path, *, memory_mb: int, network: bool) -> None:
        self._program = program
        self._memory_mb = memory_mb
        self._network = network
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
        return self._wrapped(view, "stay", ["", *command])

    def probe(self, root: Path) -> Sequence[str]:
        """Return the command line of a look around from inside."""
        return self._inside(root, "probe", writable=True)

    def stamp(self, root: Path) -> Hashable:
        """Return which files are fixed by their path."""
        return stamp(root)

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        """Return the few variables that a command needs, none of them of the daemon's own home."""
        plain = self._plain.environment(sandbox)
        if sandbox == "off":
            return plain
        return {**ENVIRONMENT, **{name: plain[name] for name in _LOCALE if name in plain}}

    def _inside(self, root: Path, mode: str, *, writable: bool) -> list[str]:
        view = view_of(root, writable=writable, network=self._network)
        return self._wrapped(view, mode, ["", json.dumps(view.sealed)])

    def _wrapped(self, view: View, mode: str, further: Sequence[str] = ()) -> list[str]:
        # The interpreter below the virtual environment, whose packages have no business inside.
        python = str(getattr(sys, "_base_executable", sys.executable))
        sockets = "open" if self._network else "closed"
        program = [python, "-I", "-S", str(PROGRAM), mode, str(view.root), str(self._memory_mb), sockets, *further]
        return wrap(self._program, view, program, network=self._network, memory_mb=self._memory_mb)
