"""Replacing a file so that a reader, or a power cut, sees the old one or the new one and nothing between.

Knows nothing of paths: it writes one name in an open folder.
"""

import os
from contextlib import suppress


def replace_file(folder: int, name: str, content: bytes, *, mode: int | None = None) -> None:
    """Make `name` in the open `folder` hold `content`, on disk when this returns.

    `mode`: the permission bits of the new file; None leaves them to the umask.
    """
    temporary = f".{os.urandom(8).hex()}.tmp"
    fd = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666, dir_fd=folder)
    try:
        try:
            _write_all(fd, content)
            if mode is not None:
                os.fchmod(fd, mode)
            os.fsync(fd)  # before the rename: else a power cut may leave the new name with no content
        finally:
            os.close(fd)
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except OSError:
        with suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    os.fsync(folder)


def _write_all(fd: int, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[os.write(fd, view) :]
