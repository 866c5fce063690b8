"""What a tool process gives up, for itself and all below it, before it serves the first call.

A seccomp filter refuses the system calls by which programs have left sandboxes: tracing others, mounting, new
namespaces, kernel keys, BPF, io_uring; and sockets, but for those of the network where that is open. Promises that
nothing of it can be taken back. Knows x86-64 and aarch64; knows no file: that is the mount namespace's part.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable, Mapping, Sequence

from picklebot.toolhost.numbers import PROCESSORS, REFUSED, UNSEEN, Processor

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
_NEW_NAMESPACES = 0x7E020000 | 0x80  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
_TYPING_FOR_OTHERS = (0x5412, 0x541C, 0x5423)  # TIOCSTI, TIOCLINUX, TIOCSETD
_UNIX, _INET, _INET6, _NETLINK = 1, 2, 10, 16  # linux/socket.h; name look-ups ask the last
_KIND, _CONNECTED = 0xF, (1, 5)  # of a socket, without its flags: SOCK_STREAM, SOCK_SEQPACKET (linux/net.h)
#: Which families of sockets may be made. "proxied": in a namespace with nothing in it but the bridge, which has its own.
SOCKETS: Mapping[str, Sequence[int]] = {
    "open": (_INET, _INET6, _NETLINK),
    "proxied": (_INET, _INET6),
    "bridge": (_UNIX,),
    "closed": (),
}

_LOAD, _AND, _RETURN = 0x20, 0x54, 0x06  # linux/bpf_common.h
_JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT = 0x15, 0x35, 0x45
_KILL, _ALLOW, _REFUSE = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]


class Unsupported(Exception):
    """This machine cannot be held to it; the message says why."""


def confine(*, sockets: str, unseen: bool = False) -> None:
    """Give it up, but for the `SOCKETS` of that name; with `unseen` also what walls by path do not see.

    Raises:
        Unsupported: the kernel or the processor does not know how.
    """
    processor = PROCESSORS.get(platform.machine())
    if processor is None:
        known = " and ".join(PROCESSORS)
        raise Unsupported(f"the filter of system calls is written for {known}, and this is {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0):
        raise Unsupported("the kernel does not know no_new_privs")
    program = list(program_for(processor, families=SOCKETS[sockets], unseen=unseen))
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.c_char_p(header), 0, 0):
        raise Unsupported(f"the kernel takes no seccomp filter: {errno.errorcode.get(ctypes.get_errno(), '?')}")


def program_for(processor: Processor, *, families: Sequence[int], unseen: bool) -> Iterable[Instruction]:
    """Return the filter, as the kernel's little machine reads it."""
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_JUMP_EQUAL, 1, 0, processor.audit)
    yield (_RETURN, 0, 0, _KILL)
    yield (_LOAD, 0, 0, _NUMBER)
    if processor.foreign is not None:
        yield (_JUMP_AT_LEAST, 0, 1, processor.foreign)
        yield (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)
    for number in (*processor.numbers(REFUSED), *(processor.numbers(UNSEEN) if unseen else ())):
        yield from _refuse(number, errno.EPERM)
    # Its flags lie in memory, where no filter looks; with this answer, libraries use clone.
    yield from _refuse(processor.number("clone3"), errno.ENOSYS)
    yield from _inspect(
        processor.number("clone"),
        _FIRST,
        [(_JUMP_ANY_BIT, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, _REFUSE | errno.EPERM)],
    )
    typing = [part for each in _TYPING_FOR_OTHERS for part in _refuse(each, errno.EPERM)]
    yield from _inspect(processor.number("ioctl"), _SECOND, typing)
    open_families = [part for family in families for part in ((_JUMP_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW))]
    yield from _inspect(processor.number("socket"), _FIRST, [*open_families, (_RETURN, 0, 0, _REFUSE | errno.EACCES)])
    # One of a pair for datagrams may be sent from to any socket that has a path.
    yield from _inspect(
        processor.number("socketpair"),
        _SECOND,
        [
            (_AND, 0, 0, _KIND),
            *((_JUMP_EQUAL, 2 - place, 0, kind) for place, kind in enumerate(_CONNECTED)),
            (_RETURN, 0, 0, _REFUSE | errno.EACCES),
        ],
    )
    if unseen:  # of an open file only, and not by its path
        yield from _inspect(
            processor.number("utimensat"), _SECOND, [(_JUMP_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
        )
    yield (_RETURN, 0, 0, _ALLOW)


def _refuse(value: int, code: int) -> list[Instruction]:
    return [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _REFUSE | code)]


def _inspect(number: int, argument: int, body: list[Instruction]) -> Iterable[Instruction]:
    """Judge an argument of one call: `body` sees its low half, and falls through to allow it."""
    yield (_JUMP_EQUAL, 0, len(body) + 2, number)
    yield (_LOAD, 0, 0, argument)
    yield from body
    yield (_RETURN, 0, 0, _ALLOW)
