"""Whether what was to be mounted over a path in the workspace is what stands there now.

A command of another session can put a symbolic link where the program that mounts looks next, and both ends of a mount
follow links: what is outside would be shown, or what should be fixed would not be. Promises that a process which was
deceived does not begin. Knows no sandbox.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

_ESCAPED = re.compile(rb"\\([0-7]{3})")  # as /proc writes spaces and the like
_MOUNT_POINT = 4  # the field of /proc/self/mountinfo (proc_pid_mountinfo(5))


def broken(seals: Mapping[str, Sequence[int]]) -> str | None:
    """Return a path that is no mount, or not of the file that was meant; `seals` are paths, devices and numbers."""
    mounted = set(_mounted()) if seals else set[str]()
    return next((path for path, meant in seals.items() if path not in mounted or _identity(path) != [*meant]), None)


def _mounted() -> list[str]:
    lines = Path("/proc/self/mountinfo").read_bytes().splitlines()
    points = (line.split(b" ")[_MOUNT_POINT] for line in lines)
    return [os.fsdecode(_ESCAPED.sub(lambda found: bytes([int(found[1], 8)]), point)) for point in points]


def _identity(path: str) -> list[int]:
    try:
        status = os.lstat(path)
    except OSError:
        return []
    return [status.st_dev, status.st_ino]
