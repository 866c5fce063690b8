"""Opening files beneath a root, by the kernel's own rules.

Promises that no path, symbolic link, `..` or race leads outside the root, and that what was opened, not what was
asked for, is what the guard judges. The kernel resolves (openat2, Linux 5.6); where it cannot, each component is
opened in turn and a symbolic link is refused. Checking a path and then opening it loses races, so nothing here does.
"""

import ctypes
import errno
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from picklebot.toolhost import guard
from picklebot.toolhost.wire import Failure

_LIBC = ctypes.CDLL(None, use_errno=True)
_SYS_OPENAT2 = 437  # the same number on x86_64 and aarch64
_NO_MAGICLINKS, _NO_SYMLINKS, _BENEATH = 0x02, 0x04, 0x08  # linux/openat2.h
_TRIES = 200  # EAGAIN: something was renamed while the kernel looked
_PATH_ONLY: int = getattr(os, "O_PATH", os.O_RDONLY)

_WORDS = {
    errno.ENOENT: "does not exist",
    errno.EXDEV: "leads outside the workspace",
    errno.ELOOP: "goes through a symbolic link that may not be followed",
    errno.ENOTDIR: "goes through something that is not a folder",
    errno.EISDIR: "is a folder",
    errno.ENXIO: "is not a regular file",
    errno.EACCES: "may not be opened: permission denied",
    errno.EPERM: "may not be changed: permission denied",
    errno.EAGAIN: "is being moved around just now; try again",
    errno.ENAMETOOLONG: "is too long for a path",
    errno.ENOSPC: "cannot be written: the disk is full",
    errno.EDQUOT: "cannot be written: the disk quota is used up",
    errno.EROFS: "cannot be written: the file system is read-only",
}


def explain(exc: OSError, path: str) -> Failure:
    """Return the failure that tells the model about `exc`, naming the path as it was written."""
    return Failure(f"{path!r} {_WORDS.get(exc.errno or 0) or f'cannot be used: {exc.strerror}'}")


class Refusal(Protocol):
    """Says why names below the root may not be opened; None if they may."""

    def __call__(self, parts: Sequence[str], *, writing: bool) -> str | None:
        """Judge names that are already resolved."""
        ...


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


def _openat2(folder: int, path: bytes, flags: int, resolve: int) -> int:
    how = _How(flags=flags, mode=0, resolve=resolve)
    number, size = ctypes.c_long(_SYS_OPENAT2), ctypes.c_size_t(ctypes.sizeof(how))
    fd: int = _LIBC.syscall(number, ctypes.c_int(folder), ctypes.c_char_p(path), ctypes.byref(how), size)
    if fd < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return fd


class Tree:
    """A folder, and what lies beneath it. `follow`: symbolic links that stay beneath it are followed."""

    def __init__(
        self, root: str, *, follow: bool = True, openat2: bool = True, refusal: Refusal = guard.refusal
    ) -> None:
        self._refusal = refusal
        self._names = (root.rstrip("/"), str(Path(root).resolve()).rstrip("/"))
        self._root = os.open(root, _PATH_ONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._openat2 = openat2 and self._kernel_resolves()
        # Without /proc the real name of an open file is unknown, so the name as written must be the real one.
        self._follow = follow and self._openat2 and Path(f"/proc/self/fd/{self._root}").is_symlink()

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self._root)

    def parts(self, path: str) -> list[str]:
        """Return the components of `path` below the root.

        Raises:
            Failure: if it names something else, as far as words can tell.
        """
        if not path or "\0" in path:
            raise Failure(f"{path!r} is no path: name a file below the workspace, such as 'notes/today.md'")
        relative = path
        if path.startswith("/"):
            inside = (path[len(top) :] for top in self._names if f"{path}/".startswith(f"{top}/"))
            relative = next(inside, "..")
        parts = [part for part in relative.split("/") if part not in {"", "."}]
        if parts[:1] == [".."]:
            raise Failure(f"{path!r} is outside the workspace; paths are relative to it")
        if ".." in parts and not self._follow:
            raise Failure(f"{path!r} goes through '..'; write it without")
        return parts

    def open(self, path: str, flags: int, *, writing: bool = False) -> int:
        """Return a descriptor of what is at `path`; it is never outside, and never behind the guard.

        Raises:
            Failure: in words, with the path as it was written.
        """
        parts = self.parts(path)
        self.check(parts, path, writing=writing)
        try:
            fd = self._open(parts, flags | os.O_CLOEXEC)
        except OSError as exc:
            raise explain(exc, path) from exc
        try:
            self.check(self.real(fd, parts), path, writing=writing)
        except Failure:
            os.close(fd)
            raise
        return fd

    def open_folder(self, path: str, *, create: bool) -> tuple[int, str]:
        """Return a descriptor of the folder that holds `path`, for writing there, and the last component.

        Raises:
            Failure: in words, with the path as it was written.
        """
        *above, name = self.parts(path) or [""]
        if name in {"", ".."}:
            raise Failure(f"{path!r} names no file")
        self.check([*above, name], path, writing=True)
        try:
            folder = self._make_folders(above, path) if create else self._open(above, os.O_DIRECTORY | os.O_CLOEXEC)
        except OSError as exc:
            raise explain(exc, path) from exc
        try:
            self.check([*self.real(folder, above), name], path, writing=True)
        except Failure:
            os.close(folder)
            raise
        return folder, name

    def real(self, fd: int, parts: Sequence[str]) -> list[str]:
        """Return where the open file `fd` really is, in components below the root."""
        if not self._follow:
            return list(parts)
        top = str(Path(f"/proc/self/fd/{self._root}").readlink())
        # Replaced since we opened it, it is still the file that had this name.
        place = str(Path(f"/proc/self/fd/{fd}").readlink()).removesuffix(" (deleted)")
        if not f"{place}/".startswith(f"{top.rstrip('/')}/"):
            raise Failure(f"{'/'.join(parts)!r} leads outside the workspace")
        return [part for part in place[len(top) :].split("/") if part]

    def check(self, parts: Sequence[str], path: str, *, writing: bool) -> None:
        """Ask the guard.

        Raises:
            Failure: with its reason.
        """
        if reason := self._refusal(parts, writing=writing):
            raise Failure(f"{path!r} is not available: {reason}")

    def _make_folders(self, parts: Sequence[str], path: str) -> int:
        flags = os.O_DIRECTORY | os.O_CLOEXEC
        folder = self._open([], flags)
        for depth in range(1, len(parts) + 1):
            try:
                deeper = self._open(parts[:depth], flags)
            except FileNotFoundError:
                try:
                    self.check([*self.real(folder, parts[: depth - 1]), parts[depth - 1]], path, writing=True)
                    with suppress(FileExistsError):
                        os.mkdir(parts[depth - 1], dir_fd=folder)
                    os.fsync(folder)
                    deeper = self._open(parts[:depth], flags)
                finally:
                    os.close(folder)
            except OSError:
                os.close(folder)
                raise
            else:
                os.close(folder)
            folder = deeper
        return folder

    def _open(self, parts: Sequence[str], flags: int) -> int:
        if not self._openat2:
            return self._walk(parts, flags)
        path = os.fsencode("/".join(parts) or ".")
        resolve = _BENEATH | _NO_MAGICLINKS | (0 if self._follow else _NO_SYMLINKS)
        for _ in range(_TRIES):
            with suppress(BlockingIOError):
                return _openat2(self._root, path, flags, resolve)
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    def _walk(self, parts: Sequence[str], flags: int) -> int:
        folder = os.open(".", _PATH_ONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=self._root)
        for depth, part in enumerate(parts or ["."], start=1):
            wanted = flags if depth >= len(parts) else _PATH_ONLY | os.O_DIRECTORY | os.O_CLOEXEC
            try:
                deeper = os.open(part, wanted | os.O_NOFOLLOW, dir_fd=folder)
            finally:
                os.close(folder)
            folder = deeper
        return folder

    def _kernel_resolves(self) -> bool:
        if sys.platform != "linux":
            return False
        try:
            os.close(_openat2(self._root, b".", _PATH_ONLY | os.O_DIRECTORY | os.O_CLOEXEC, _BENEATH))
        except OSError:  # an old kernel, or a filter that forbids the call
            return False
        return True
