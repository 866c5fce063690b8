"""What stands in an open folder under one name: its status, its content, its content after an edit.

Promises regular files with one name only, and bounded sizes. Follows no link. Knows no tree.
"""

import os
import stat

from picklebot.toolhost.wire import Failure

MAX_WRITE = 5_000_000  #: bytes of a file that is written or edited

# Without O_NONBLOCK a FIFO would hold us until somebody writes to it.
READING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY


def as_in(content: bytes, text: str) -> bytes:
    """Return `text` with the line ends that the file has: a model writes newlines, whatever it was shown."""
    crlf = b"\r\n" in content and "\r" not in text
    return (text.replace("\n", "\r\n") if crlf else text).encode()


def edited(content: bytes, old: str, new: str, path: str) -> bytes:
    """Return `content` with the one place where it says `old` replaced.

    Raises:
        Failure: there is none, or more than one.
    """
    if not old or old == new:
        raise Failure("old must be the text to replace, and new must differ from it")
    wanted = as_in(content, old)
    match content.count(wanted):
        case 0:
            raise Failure(f"{path!r} does not hold the old text; it must match exactly, spaces and line ends included")
        case 1:
            after = content.replace(wanted, as_in(content, new))
        case count:
            raise Failure(f"{path!r} holds the old text {count} times; add lines around it until it is the only one")
    if len(after) > MAX_WRITE:
        raise Failure(f"{path!r} would be {len(after):,} bytes; at most {MAX_WRITE:,} are written")
    return after


def content_of(folder: int, name: str, path: str) -> bytes:
    """Return what the file `name` in `folder` holds."""
    fd = os.open(name, READING | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=folder)
    try:
        return read_content(fd, path, limit=MAX_WRITE)
    finally:
        os.close(fd)


def read_content(fd: int, path: str, *, limit: int) -> bytes:
    """Return what an open file holds.

    Raises:
        Failure: it is no regular file, or longer than `limit`.
    """
    check_regular(os.fstat(fd), path, limit=limit)
    with os.fdopen(fd, "rb", closefd=False) as file:
        content = file.read(limit + 1)
    if len(content) > limit:
        raise Failure(f"{path!r} grew past {limit:,} bytes while it was read")
    return content


def status_of(folder: int, name: str, path: str) -> os.stat_result | None:
    """Return what stands where we want to write; None if nothing does."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        raise Failure(f"{path!r} is a symbolic link; write to the file that it names")
    check_regular(status, path, limit=None)
    if status.st_nlink != 1:
        raise Failure(f"{path!r} has {status.st_nlink} names (hard links); it may be somebody else's file")
    return status


def version_of(status: os.stat_result) -> tuple[int, int, int]:
    """Return what differs once a file was written again."""
    return status.st_ino, status.st_mtime_ns, status.st_size


def check_regular(status: os.stat_result, path: str, *, limit: int | None) -> None:
    """Refuse what is no regular file, or too long."""
    if stat.S_ISDIR(status.st_mode):
        raise Failure(f"{path!r} is a folder; glob lists what is in it")
    if not stat.S_ISREG(status.st_mode):
        raise Failure(f"{path!r} is not a regular file")
    if limit is not None and status.st_size > limit:
        raise Failure(f"{path!r} has {status.st_size:,} bytes; files up to {limit:,} are opened")
