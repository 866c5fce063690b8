"""Control groups for tool processes, where picklebot runs as root: the kernel's limit on processes is not for root.

Promises that a tool process is in its group before it runs a line of its own, and that groups which nobody is in are
removed. Works with both versions of the kernel's interface. Knows no sandbox.
"""

import itertools
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

TOP = Path("/sys/fs/cgroup")
PROCESSES = 512  #: and threads, of one tool process
_SPARE = 256  # MiB beside what a command may have: the tool process itself, and files in memory
_NAME = "picklebot"
_numbers = itertools.count(1)
_RECENT = 64  # groups of ours, of which the newest may not be entered yet
# Whoever is in a group is counted in it with all that it starts, so we enter before we become the program.
_ENTER = (
    'n=$1; shift; while [ "$n" -gt 0 ]; do echo $$ > "$1/cgroup.procs" || exit 71; shift; n=$((n-1)); done; exec "$@"'
)


class Groups:
    """Makes a group for each tool process."""

    def __init__(self, *, memory_mb: int, top: Path = TOP) -> None:
        self._memory = (2 * memory_mb + _SPARE) << 20
        self._top = top
        self._newest = 0

    def usable(self) -> bool:
        """Return whether a group can be made that bounds processes."""
        try:
            made = self._make(str(next(_numbers)))  # a name of its own: another thread may ask at the same time
        except OSError:
            return False
        _remove(made)
        return True

    def enter(self) -> Sequence[str]:
        """Return a program that enters a new group and then becomes its arguments.

        Raises:
            OSError: the group cannot be made.
        """
        self.sweep()
        self._newest = next(_numbers)
        made = self._make(str(self._newest))
        return ["/bin/sh", "-c", _ENTER, "sh", str(len(made)), *map(str, made)]

    def sweep(self) -> None:
        """Remove the groups that nobody is in any more: old ones of ours, and those of a picklebot that is gone."""
        for parent in self._parents():
            for folder in parent.glob(f"{_NAME}-*-*"):
                _, pid, number = folder.name.split("-")
                ours = pid == str(os.getpid())
                recent = number.isdigit() and ours and int(number) > self._newest - _RECENT
                if not recent and (ours or not Path("/proc", pid).exists()):
                    _remove([folder])

    def _make(self, name: str) -> list[Path]:
        made: list[Path] = []
        try:
            for parent in self._parents():
                folder = parent / f"{_NAME}-{os.getpid()}-{name}"
                folder.mkdir(exist_ok=True)
                made.append(folder)
            limits = {"pids.max": PROCESSES, "memory.max": self._memory, "memory.limit_in_bytes": self._memory}
            found = [(folder / file, value) for folder in made for file, value in limits.items()]
            set_ = [path.name for path, value in found if path.exists() and path.write_text(str(value))]
            if "pids.max" not in set_:
                raise FileNotFoundError("no control group here bounds processes")
        except OSError:
            _remove(made)
            raise
        return made

    def _parents(self) -> Iterator[Path]:
        if (self._top / "cgroup.controllers").exists():
            yield self._top
            return
        yield from (path for name in ("pids", "memory") if (path := self._top / name).is_dir())


def _remove(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # somebody is in it yet
            folder.rmdir()
