"""What the launchers of every sandbox share: who gets one, and which program is started in it.

Promises that an agent gets the sandbox that its file names, and runs plainly only where that says so. Knows no mechanism.
"""

import sys
from abc import ABC, abstractmethod
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

from picklebot.core.rights import Sandbox
from picklebot.sandbox.bubblewrap import ENVIRONMENT
from picklebot.sandbox.places import View, occupy, room_of, view_of
from picklebot.toolhost.bridge import PORT
from picklebot.tools.launcher import PROGRAM, PlainLauncher

PROXIED = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), f"http://127.0.0.1:{PORT}")
_LOCALE = ("LANG", "LC_ALL", "TERM", "TZ")


class ApartLauncher(ABC):
    """A launcher of `picklebot.tools.launcher` that keeps tool processes apart."""

    def __init__(self, *, memory_mb: int, network: bool, way_out: Path | None = None) -> None:
        """`way_out` is the socket of a proxy, which is all that programs inside reach of the network."""
        self._memory_mb = memory_mb
        self._network = network
        self._way_out = way_out
        self._plain = PlainLauncher(memory_mb=memory_mb)

    def command(self, root: Path, sandbox: Sandbox) -> Sequence[str]:
        """Return the command line of a tool process."""
        if sandbox == "off":
            return self._plain.command(root, sandbox)
        occupy(root)
        return self._inside("serve", view_of(root, writable=sandbox == "workspace", network=self._network))

    def resident(
        self, root: Path, command: Sequence[str], sandbox: Sandbox, *, further: Sequence[Path]
    ) -> Sequence[str]:
        """Return the command line of a program that stays, has `root` for its own, and sees what is `further`."""
        if sandbox == "off":
            return self._plain.resident(root, command, sandbox, further=further)
        return self._staying(room_of(root, further=further, network=self._network), command)

    def probe(self, root: Path) -> Sequence[str]:
        """Return the command line of a look around from inside."""
        return self._inside("probe", view_of(root, writable=True, network=self._network))

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        """Return the few variables that a command needs, none of them of the daemon's own home."""
        plain = self._plain.environment(sandbox)
        if sandbox == "off":
            return plain
        proxied = PROXIED if self._way_out else {}
        return {**ENVIRONMENT, **proxied, **{name: plain[name] for name in _LOCALE if name in plain}}

    @abstractmethod
    def stamp(self, root: Path) -> Hashable:
        """Return what changes when a process that was started before no longer sees what it should."""

    @abstractmethod
    def _inside(self, mode: str, view: View) -> list[str]:
        """Return what starts the tool process in a mode, with that before it."""

    @abstractmethod
    def _staying(self, view: View, command: Sequence[str]) -> list[str]:
        """Return what starts the keeper of a program that stays."""

    def _program(self, mode: str, root: Path, *further: str) -> list[str]:
        # The interpreter below the virtual environment, whose packages have no business inside.
        python = str(getattr(sys, "_base_executable", sys.executable))
        sockets = "open" if self._network else "proxied" if self._way_out else "closed"
        return [python, "-I", "-S", str(PROGRAM), mode, str(root), str(self._memory_mb), sockets, *further]
