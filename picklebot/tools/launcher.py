"""How a tool process is started: the seam under which a sandbox slips.

Promises an environment that is an allow-list of names, never the daemon's own. Knows no pool and no call.
"""

import os
import sys
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from picklebot.core.rights import Sandbox

#: The program: run it as `python -I -S PROGRAM serve ROOT MEMORY_MB`. It imports `picklebot.toolhost`, and no more.
PROGRAM = Path(__file__).parents[1] / "toolhost" / "__main__.py"
ALLOWED = ("PATH", "HOME", "LANG", "LC_ALL", "TERM", "TZ", "USER")


class Launcher(Protocol):
    """Says which program serves a session, and what it sees."""

    def command(self, root: Path, sandbox: Sandbox) -> Sequence[str]:
        """Return the program and its arguments, for an agent whose `sandbox` it is."""
        ...

    def stamp(self, root: Path) -> Hashable:
        """Return what changes when a process that was started before no longer sees what it should."""
        ...

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        """Return all that its environment holds."""
        ...


class ResidentLauncher(Launcher, Protocol):
    """Says how programs are started that stay, too."""

    def resident(
        self, root: Path, command: Sequence[str], sandbox: Sandbox, *, further: Sequence[Path]
    ) -> Sequence[str]:
        """Return the command line of a program that stays, has `root` for its own, and sees what is `further`."""
        ...


class PlainLauncher:
    """No sandbox: the tool process may do what the daemon's user may. `memory_mb` limits each command; 0 does not."""

    def __init__(self, *, memory_mb: int = 1024) -> None:
        self._memory_mb = memory_mb

    def command(self, root: Path, sandbox: Sandbox) -> Sequence[str]:
        """Return the bare program."""
        return [sys.executable, "-I", "-S", str(PROGRAM), "serve", str(root), str(self._memory_mb)]

    def resident(
        self, root: Path, command: Sequence[str], sandbox: Sandbox, *, further: Sequence[Path]
    ) -> Sequence[str]:
        """Return the command line of a program that stays, in `root`; it sees what the user does."""
        return [sys.executable, "-I", "-S", str(PROGRAM), "stay", str(root), str(self._memory_mb), "", "", *command]

    def stamp(self, root: Path) -> Hashable:
        """Nothing changes what it sees."""
        return None

    def environment(self, sandbox: Sandbox = "workspace") -> Mapping[str, str]:
        """Return the few variables that a command needs to find its way."""
        return {name: os.environ[name] for name in ALLOWED if name in os.environ}


PLAIN: Launcher = PlainLauncher()
