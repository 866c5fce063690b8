"""Reads a small text file that anybody may have put there.

Promises the text or a `DefinitionError` with path and line, whatever the path is: a folder, a pipe, a loop of links,
a gigabyte, a picture. Never waits and never reads more than it was allowed. Knows nothing of what the text means.
"""

import os
import stat
from pathlib import Path

from picklebot.errors import DefinitionError

# A pipe without a writer would block an ordinary open for ever; a terminal must not become ours.
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def read_text(path: Path, *, limit: int) -> str:
    """Return the text of a regular UTF-8 file of at most `limit` bytes, without BOM or CR.

    Raises:
        DefinitionError: if it is anything else.
    """
    raw = _read(path, limit)
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise DefinitionError("the file is UTF-16: save it as UTF-8", path=path, line=1)
    if (nul := raw.find(b"\0")) >= 0:
        raise DefinitionError("the file is not text: it holds a NUL byte", path=path, line=_line(raw, nul))
    try:
        text = raw.decode()
    except UnicodeDecodeError as exc:
        found = f"the byte 0x{raw[exc.start]:02x} is not UTF-8: save the file as UTF-8 text"
        raise DefinitionError(found, path=path, line=_line(raw, exc.start)) from exc
    return normalise(text)


def normalise(text: str) -> str:
    """Return `text` without a byte order mark, and with a line feed for every line end."""
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def _read(path: Path, limit: int) -> bytes:
    try:
        descriptor = os.open(path, _FLAGS)
    except (OSError, ValueError) as exc:
        raise DefinitionError(f"the file cannot be opened: {_reason(exc)}", path=path) from exc
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            kind = _KINDS.get(stat.S_IFMT(status.st_mode), "something else")
            raise DefinitionError(f"this is {kind}, where a file of text was expected", path=path)
        if status.st_size > limit:
            raise DefinitionError(f"the file has {status.st_size:,} bytes: at most {limit:,} are read", path=path)
        return _drain(descriptor, limit, path)
    except OSError as exc:
        raise DefinitionError(f"the file cannot be read: {_reason(exc)}", path=path) from exc
    finally:
        os.close(descriptor)


def _drain(descriptor: int, limit: int, path: Path) -> bytes:
    raw = b""
    # The size may lie (/proc) or grow while we read, so the limit is held here too.
    while chunk := os.read(descriptor, limit + 1 - len(raw)):
        raw += chunk
        if len(raw) > limit:
            raise DefinitionError(f"the file is still growing: at most {limit:,} bytes are read", path=path)
    return raw


def _reason(exc: OSError | ValueError) -> str:
    return exc.strerror or repr(exc) if isinstance(exc, OSError) else str(exc)


def _line(raw: bytes, position: int) -> int:
    return raw.count(b"\n", 0, position) + 1
