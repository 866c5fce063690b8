"""A folder of its own for each tool process that has no mount namespace, which it calls home.

Promises that none is left for long: a process that was killed cannot clean up, so whoever begins next removes the folders
that nobody holds any more. Knows no sandbox.
"""

import fcntl
import os
import shutil
import tempfile
from contextlib import suppress
from itertools import islice
from pathlib import Path

PREFIX = "picklebot-home-"
AT_ONCE = 100  #: folders that are looked at by one process that begins
_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def make() -> str:
    """Return the path of a new folder. It is ours until this process, and the program it may become, has ended."""
    _sweep()
    while True:
        path = tempfile.mkdtemp(prefix=PREFIX)
        held = os.open(path, _FOLDER)
        fcntl.flock(held, fcntl.LOCK_EX)
        if _is_there(path, held):  # else a sweep took it before it was held
            os.set_inheritable(held, True)
            return path
        os.close(held)


def _sweep() -> None:
    """Remove what the dead have left."""
    for path in islice(Path(tempfile.gettempdir()).glob(f"{PREFIX}*"), AT_ONCE):
        with suppress(OSError):  # somebody else's, or gone
            found = os.open(path, _FOLDER)
            try:
                if os.fstat(found).st_uid == os.geteuid():
                    fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(found)


def _is_there(path: str, held: int) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.lstat(path), os.fstat(held))
    return False
