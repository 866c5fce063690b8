"""Another program in place of this one, with its limits: a server of tools. It was shut in before.

Promises that a program which cannot be started says so on stderr, and ends. Knows no protocol.
"""

import os
import resource
import sys
from collections.abc import Sequence

from picklebot.toolhost.command import limit

_MEGABYTE = 1 << 20
LEAST_MB = 4096  #: memory of one process; runtimes with a heap of their own ask for much and use little
FILES, FILE_MB = 4096, 4096


def become(command: Sequence[str], memory_mb: int) -> None:
    """Become `command`: a program, found on the PATH, and its arguments."""
    limit(
        {
            resource.RLIMIT_NOFILE: FILES,
            resource.RLIMIT_FSIZE: FILE_MB * _MEGABYTE,
            resource.RLIMIT_DATA: max(memory_mb, LEAST_MB) * _MEGABYTE,
        }
    )
    try:
        os.execvp(command[0], list(command))  # noqa: S606  # its owner named it in config.yaml
    except OSError as exc:
        sys.exit(f"{command[0]} cannot be started in its sandbox: {exc.strerror}")
