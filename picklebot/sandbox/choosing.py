"""Which sandbox is in force: the one that config.yaml names, or the strongest that holds here; or none.

Promises that what is said to hold was tried. Knows no tool.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from picklebot.sandbox import probe
from picklebot.sandbox.bubblewrap import find_program
from picklebot.sandbox.groups import Groups
from picklebot.sandbox.landlock import LandlockLauncher, missing
from picklebot.sandbox.launcher import BubblewrapLauncher

Mode = Literal["auto", "bubblewrap", "landlock", "off"]

INSTALL = "install bubblewrap (apt install bubblewrap, or pip install 'picklebot[sandbox]')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A launcher whose sandbox holds; or none, and why. `off`: nobody wants one."""

    launcher: BubblewrapLauncher | LandlockLauncher | None
    name: str = ""
    why: str = ""
    fix: str = ""
    off: bool = False


_tried: dict[tuple[str, bool, bool], Sequence[str]] = {}


def choose(mode: Mode, *, memory_mb: int, network: bool, way_out: Path | None = None) -> Choice:
    """Return what keeps tools apart. Blocks for a tenth of a second, the first time.

    `way_out` is the socket of a proxy, for a sandbox that can have one beside no network.
    """
    if mode == "off":
        return Choice(launcher=None, why="config.yaml switches it off", off=True)
    refused: list[Choice] = []
    for kind in ("bubblewrap", "landlock"):
        if mode in {"auto", kind}:
            if kind == "bubblewrap":
                found = _bubblewrap(memory_mb=memory_mb, network=network, way_out=way_out)
            else:
                found = _landlock(memory_mb=memory_mb, network=network)
            if found.launcher is not None:
                return found
            refused.append(found)
    return replace(refused[0], why="; ".join(each.why for each in refused))


def _bubblewrap(*, memory_mb: int, network: bool, way_out: Path | None) -> Choice:
    program = find_program()
    if program is None:
        return Choice(launcher=None, why="there is no bubblewrap here", fix=INSTALL)
    launcher = BubblewrapLauncher(program, memory_mb=memory_mb, network=network, way_out=way_out)
    if leaks := _tries(launcher, str(program), network=network, proxied=way_out is not None):
        return Choice(launcher=None, why=f"bubblewrap does not hold here: {'; '.join(leaks)}", fix=_advice(leaks))
    return Choice(launcher=launcher, name="bubblewrap")


def _landlock(*, memory_mb: int, network: bool) -> Choice:
    if why := missing():
        return Choice(launcher=None, why=why, fix=INSTALL)
    groups = Groups(memory_mb=memory_mb)
    if os.geteuid() == 0 and not groups.usable():
        why = "Landlock bounds no processes of root, and no control group can be made here"
        return Choice(launcher=None, why=why, fix=f"run picklebot as a user of its own, or {INSTALL}")
    bound = groups.enter if os.geteuid() == 0 else tuple
    launcher = LandlockLauncher(memory_mb=memory_mb, network=network, bound=bound)
    if leaks := _tries(launcher, "landlock", network=network):
        return Choice(launcher=None, why=f"Landlock does not hold here: {'; '.join(leaks)}", fix=INSTALL)
    return Choice(launcher=launcher, name="Landlock")


def _tries(
    launcher: BubblewrapLauncher | LandlockLauncher, name: str, *, network: bool, proxied: bool = False
) -> Sequence[str]:
    """Look around, once for each kind in the life of this process."""
    kind = name, network, proxied
    if kind not in _tried:
        _tried[kind] = probe.look(launcher, network=network)
    return _tried[kind]


def _advice(leaks: Sequence[str]) -> str:
    if any("namespace" in leak or "uid map" in leak for leak in leaks):
        return (
            "let users make namespaces (sysctl kernel.apparmor_restrict_unprivileged_userns=0, or a profile for bwrap)"
        )
    return "run it where bubblewrap may work, or say `approvals: {bash: deny}`"
