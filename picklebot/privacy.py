"""What the process holds, kept from other processes of the same user.

Promises that, on Linux, no other process without root's rights reads this one's memory or environment, attaches to it or
finds them in a core dump. What it starts is not concerned: the kernel gives that up with each new program. Knows no
secret.
"""

import ctypes
import logging
import sys

logger = logging.getLogger(__name__)

PR_SET_DUMPABLE = 4  # linux/prctl.h; what it closes is in ptrace(2) and proc(5)


def keep_to_itself() -> bool:
    """Close this process to others; return whether it is. Not where Python runs in development mode, for debuggers."""
    if sys.platform != "linux" or sys.flags.dev_mode:
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0:
        logger.warning("other processes of this user may read this one's memory: prctl failed (%d)", ctypes.get_errno())
        return False
    return True
