"""A file that is there to be deleted: room for the last words of a daemon whose disk is full.

On a full disk SQLite can neither delete nor checkpoint; giving the ballast up lets what was accepted be finished.
Promises to take room only where there is plenty, and to take it again by itself. Knows no database.
"""

import logging
import os
import shutil
from pathlib import Path

logger = logging.getLogger(__name__)

SIZE = 16 * 1024 * 1024  #: bytes: some thousand turns
PLENTY = 64  #: times its size must be free before it is made


class Ballast:
    """The file `path`. Its methods touch the disk: call them in a thread."""

    def __init__(self, path: Path, *, size: int = SIZE) -> None:
        self._path = path
        self._size = size

    def take(self) -> None:
        """Make the file if it is not there and the disk has plenty of room."""
        try:
            if self._path.exists() or shutil.disk_usage(self._path.parent).free < PLENTY * self._size:
                return
            with self._path.open("wb") as file:
                os.posix_fallocate(file.fileno(), 0, self._size)
        except OSError as exc:
            logger.info("no ballast was taken: %s", exc)
            self._path.unlink(missing_ok=True)

    def drop(self) -> bool:
        """Delete the file; return whether that gave room."""
        try:
            self._path.unlink()
        except OSError:
            return False
        logger.warning("the disk is full: gave up %d MB of ballast to finish what was accepted", self._size >> 20)
        return True
