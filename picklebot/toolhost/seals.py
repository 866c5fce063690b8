"""Whether what was to be mounted over a path in the workspace is what stands there now.

A command of another session can put a symbolic link where the program that mounts looks next, and both ends of a mount
follow links: what is outside would be shown, or what should be fixed would not be. Promises that a process which was
deceived does not begin. Knows no sandbox.
"""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

_WHAT_STANDS_THERE = os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC
_MOUNT = "mnt_id:"  # in /proc/self/fdinfo/N (proc_pid_fdinfo(5))


def broken(root: str, seals: Mapping[str, Sequence[int]]) -> str | None:
    """Return a path below `root` that has no mount of its own, or not of the file that was meant.

    `seals` are paths, devices and numbers. As many mounts were made as there are seals. So where each path has one that no
    other has, of what was meant, none is left that could show anything else, under whatever name it is by now.
    """
    taken = {_standing(root)[0]} if seals else set[int]()
    for path, meant in seals.items():
        mount, identity = _standing(path)
        if mount in taken or identity != [*meant]:
            return path
        taken.add(mount)
    return None


def _standing(path: str) -> tuple[int, list[int]]:
    """Return the mount and the identity of one and the same thing: to look twice by path is to be deceived in between."""
    try:
        fd = os.open(path, _WHAT_STANDS_THERE)
    except OSError:
        return 0, []
    try:
        status = os.fstat(fd)
        lines = Path(f"/proc/self/fdinfo/{fd}").read_text().splitlines()
        [mount] = [int(line.removeprefix(_MOUNT)) for line in lines if line.startswith(_MOUNT)]
    finally:
        os.close(fd)
    return mount, [status.st_dev, status.st_ino]
