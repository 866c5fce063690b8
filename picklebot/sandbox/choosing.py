"""Which sandbox is in force: the one that config.yaml names, or the strongest that holds here; or none.

Promises that what is said to hold was tried. Knows no tool.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from picklebot.sandbox import probe
from picklebot.sandbox.bubblewrap import find_program
from picklebot.sandbox.launcher import BubblewrapLauncher

Mode = Literal["auto", "bubblewrap", "landlock", "off"]

INSTALL = "install bubblewrap (apt install bubblewrap, or pip install 'picklebot[sandbox]')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A launcher whose sandbox holds; or none, and why. `off`: nobody wants one."""

    launcher: BubblewrapLauncher | None
    name: str = ""
    why: str = ""
    fix: str = ""
    off: bool = False


_tried: dict[tuple[Path, bool], Sequence[str]] = {}


def choose(mode: Mode, *, memory_mb: int, network: bool) -> Choice:
    """Return what keeps tools apart. Blocks for a tenth of a second, the first time."""
    if mode == "off":
        return Choice(launcher=None, why="config.yaml switches it off", off=True)
    if mode == "landlock":
        return Choice(launcher=None, why="sandbox.mode: landlock is not there yet", fix="say auto or bubblewrap")
    program = find_program()
    if program is None:
        return Choice(launcher=None, why="there is no bubblewrap here", fix=INSTALL)
    launcher = BubblewrapLauncher(program, memory_mb=memory_mb, network=network)
    if (program, network) not in _tried:
        _tried[program, network] = probe.look(launcher, network=network)
    if leaks := _tried[program, network]:
        return Choice(launcher=None, why=f"bubblewrap does not hold here: {'; '.join(leaks)}", fix=_advice(leaks))
    return Choice(launcher=launcher, name="bubblewrap")


def _advice(leaks: Sequence[str]) -> str:
    if any("namespace" in leak or "uid map" in leak for leak in leaks):
        return (
            "let users make namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile for bwrap)"
        )
    return "run it where bubblewrap may work, or say `approvals: {bash: deny}`"
