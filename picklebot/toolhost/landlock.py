"""Landlock: a process gives up, for itself and all below it, every file that is not on a list.

Promises that what is not listed can be neither read, written, made nor removed, and that no process outside can be
signalled and no abstract socket of one be reached. Modes, owners and the names of folders it does not see
(https://docs.kernel.org/userspace-api/landlock.html). Knows no tool.
"""

import ctypes
import os
import stat
import struct
import sys
from collections.abc import Iterable

NEEDED = 6  #: the first version that keeps signals inside
_CREATE, _ADD, _RESTRICT = 444, 445, 446  # the same numbers on x86_64 and aarch64
_VERSION, _BENEATH = 1, 1  # linux/landlock.h
_PR_SET_NO_NEW_PRIVS = 38
_SCOPES = 0b11  #: abstract sockets, signals
_TCP = 0b11  #: bind, connect

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR = 1, 1 << 1, 1 << 2, 1 << 3
_TRUNCATE, _DEVICE = 1 << 14, 1 << 15
_EVERY = (1 << 16) - 1
_SPECIAL = 1 << 6 | 1 << 11  #: making devices
_OF_A_FILE = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE

READ = _EXECUTE | _READ_FILE | _READ_DIR
WRITE = _EVERY & ~_SPECIAL & ~_DEVICE
LIST = _READ_DIR

Rule = tuple[str | int, int]
"""A path or an open file, and what may be done with what is there and beneath."""


def version() -> int:
    """Return the version of Landlock here; 0 where there is none."""
    if sys.platform != "linux":
        return 0
    libc = ctypes.CDLL(None, use_errno=True)
    found: int = libc.syscall(ctypes.c_long(_CREATE), None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION))
    return max(found, 0)


def restrict(rules: Iterable[Rule], *, network: bool) -> None:
    """Leave this process the files at or beneath the paths, or open files, of `rules`, with their rights.

    A path's last component is not followed where it is a link.

    Raises:
        OSError: the kernel does not take it.
    """
    libc = ctypes.CDLL(None, use_errno=True)
    attributes = struct.pack("QQQ", _EVERY, 0 if network else _TCP, _SCOPES)
    made: int = libc.syscall(ctypes.c_long(_CREATE), attributes, ctypes.c_size_t(len(attributes)), ctypes.c_uint32(0))
    _check(made, "landlock_create_ruleset")
    try:
        for place, rights in rules:
            _add(libc, made, place, rights)
        nothing = ctypes.c_ulong(0)
        _check(libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), nothing, nothing, nothing), "no_new_privs")
        _check(libc.syscall(ctypes.c_long(_RESTRICT), ctypes.c_int(made), ctypes.c_uint32(0)), "landlock_restrict_self")
    finally:
        os.close(made)


def _add(libc: ctypes.CDLL, ruleset: int, place: str | int, rights: int) -> None:
    if sys.platform != "linux":
        return
    try:
        fd = os.dup(place) if isinstance(place, int) else os.open(place, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC)
    except OSError:
        return  # what is not there needs no right
    try:
        mode = os.fstat(fd).st_mode
        if stat.S_ISLNK(mode):
            return  # where it leads is listed by its own name, or not meant
        if not stat.S_ISDIR(mode):
            rights &= _OF_A_FILE
        beneath = struct.pack("=Qi", rights, fd)
        given = (ctypes.c_long(_ADD), ctypes.c_int(ruleset), ctypes.c_int(_BENEATH), beneath, ctypes.c_uint32(0))
        _check(libc.syscall(*given), f"landlock_add_rule({place})")
    finally:
        os.close(fd)


def _check(result: int, words: str) -> None:
    if result < 0:
        raise OSError(ctypes.get_errno(), words)
