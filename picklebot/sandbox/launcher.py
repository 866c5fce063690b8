"""Starts tool processes under bubblewrap, which makes their view of the machine.

Promises that what was mounted is looked at from inside before anything else is done. Knows no tool.
"""

import json
from collections.abc import Hashable, Sequence
from dataclasses import replace
from pathlib import Path

from picklebot.sandbox.apart import ApartLauncher
from picklebot.sandbox.bubblewrap import wrap
from picklebot.sandbox.places import View, stamp
from picklebot.toolhost.bridge import PLACE


class BubblewrapLauncher(ApartLauncher):
    """Runs tool processes under `program`, a bwrap."""

    def __init__(self, program: Path, *, memory_mb: int, network: bool, way_out: Path | None = None) -> None:
        super().__init__(memory_mb=memory_mb, network=network, way_out=way_out)
        self._bwrap = program

    def stamp(self, root: Path) -> Hashable:
        """Return which files are fixed by their path."""
        return stamp(root)

    def _inside(self, mode: str, view: View) -> list[str]:
        return self._wrapped(view, self._program(mode, view.root, "", json.dumps(view.sealed)))

    def _staying(self, view: View, command: Sequence[str]) -> list[str]:
        return self._wrapped(view, self._program("stay", view.root, "", *command))

    def _wrapped(self, view: View, program: Sequence[str]) -> list[str]:
        if self._way_out is not None:
            view = replace(view, placed={PLACE: self._way_out})
        return wrap(self._bwrap, view, program, network=self._network, memory_mb=self._memory_mb)
