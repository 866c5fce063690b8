"""What a tool process gives up, for itself and all below it, before it serves the first call.

A seccomp filter refuses the system calls by which programs have left sandboxes: tracing others, mounting, new
namespaces, kernel keys, BPF, io_uring; and sockets, but for those of the network where that is open. Promises that
nothing of it can be taken back. Knows x86-64 and no other processor; knows no file: that is the mount namespace's part.
"""

import ctypes
import errno
import platform
import struct
from collections.abc import Iterable

_PR_SET_NO_NEW_PRIVS, _PR_SET_SECCOMP, _MODE_FILTER = 38, 22, 2  # linux/prctl.h, linux/seccomp.h
_ARCH_X86_64 = 0xC000003E  # linux/audit.h
_X32 = 0x40000000  # the bit of a second set of numbers, which is refused whole

# asm/unistd_64.h
_REFUSED = {
    "ptrace": 101, "syslog": 103, "vhangup": 153, "pivot_root": 155, "adjtimex": 159, "chroot": 161, "acct": 163,
    "settimeofday": 164, "mount": 165, "umount2": 166, "swapon": 167, "swapoff": 168, "reboot": 169,
    "sethostname": 170, "setdomainname": 171, "iopl": 172, "ioperm": 173, "init_module": 175, "delete_module": 176,
    "quotactl": 179, "lookup_dcookie": 212, "clock_settime": 227, "kexec_load": 246, "add_key": 248,
    "request_key": 249, "keyctl": 250, "unshare": 272, "perf_event_open": 298, "name_to_handle_at": 303,
    "open_by_handle_at": 304, "clock_adjtime": 305, "setns": 308, "process_vm_readv": 310, "process_vm_writev": 311,
    "kcmp": 312, "finit_module": 313, "kexec_file_load": 320, "bpf": 321, "userfaultfd": 323, "io_uring_setup": 425,
    "io_uring_enter": 426, "io_uring_register": 427, "open_tree": 428, "move_mount": 429, "fsopen": 430,
    "fsconfig": 431, "fsmount": 432, "fspick": 433, "pidfd_getfd": 438, "mount_setattr": 442, "memfd_secret": 447,
}  # fmt: skip
#: What walls by path do not see: modes, owners, times, and what is shared without a name in the file system.
_UNSEEN = {
    "chmod": 90, "fchmod": 91, "chown": 92, "fchown": 93, "lchown": 94, "fchmodat": 268, "fchownat": 260,
    "fchmodat2": 452, "setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "removexattr": 197, "lremovexattr": 198,
    "fremovexattr": 199, "setxattrat": 463, "removexattrat": 466, "utime": 132, "utimes": 235, "futimesat": 261,
    "shmget": 29, "shmat": 30, "semget": 64, "msgget": 68, "mq_open": 240,
}  # fmt: skip
_UTIMENSAT = 280
_SOCKET, _CLONE, _CLONE3, _IOCTL = 41, 56, 435, 16
_NEW_NAMESPACES = 0x7E020000 | 0x80  # CLONE_NEW{NS,CGROUP,UTS,IPC,USER,PID,NET,TIME}
_TYPING_FOR_OTHERS = (0x5412, 0x541C, 0x5423)  # TIOCSTI, TIOCLINUX, TIOCSETD
_FAMILIES_OF_THE_NETWORK = (2, 10, 16)  # AF_INET, AF_INET6, AF_NETLINK, which name look-ups ask

_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06  # linux/bpf_common.h
_KILL, _ALLOW, _REFUSE = 0x80000000, 0x7FFF0000, 0x00050000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data

Instruction = tuple[int, int, int, int]


class Unsupported(Exception):
    """This machine cannot be held to it; the message says why."""


def confine(*, network: bool, unseen: bool = False) -> None:
    """Give it up; with `unseen` also what walls by path do not see.

    Raises:
        Unsupported: the kernel or the processor does not know how.
    """
    if platform.machine() != "x86_64":
        raise Unsupported(f"the filter of system calls is written for x86_64, and this is {platform.machine()}")
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, ctypes.c_ulong(1), 0, 0, 0):
        raise Unsupported("the kernel does not know no_new_privs")
    program = list(_program(network=network, unseen=unseen))
    code = b"".join(struct.pack("HBBI", *instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(code)
    header = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    if libc.prctl(_PR_SET_SECCOMP, ctypes.c_ulong(_MODE_FILTER), ctypes.c_char_p(header), 0, 0):
        raise Unsupported(f"the kernel takes no seccomp filter: {errno.errorcode.get(ctypes.get_errno(), '?')}")


def _program(*, network: bool, unseen: bool) -> Iterable[Instruction]:
    yield (_LOAD, 0, 0, _ARCHITECTURE)
    yield (_JUMP_EQUAL, 1, 0, _ARCH_X86_64)
    yield (_RETURN, 0, 0, _KILL)
    yield (_LOAD, 0, 0, _NUMBER)
    yield (_JUMP_AT_LEAST, 0, 1, _X32)
    yield (_RETURN, 0, 0, _REFUSE | errno.ENOSYS)
    for number in (*_REFUSED.values(), *(_UNSEEN.values() if unseen else ())):
        yield from _refuse(number, errno.EPERM)
    # Its flags lie in memory, where no filter looks; with this answer, libraries use clone.
    yield from _refuse(_CLONE3, errno.ENOSYS)
    yield from _inspect(
        _CLONE, _FIRST, [(_JUMP_ANY_BIT, 0, 1, _NEW_NAMESPACES), (_RETURN, 0, 0, _REFUSE | errno.EPERM)]
    )
    typing = [part for each in _TYPING_FOR_OTHERS for part in _refuse(each, errno.EPERM)]
    yield from _inspect(_IOCTL, _SECOND, typing)
    open_families = [
        part
        for family in (_FAMILIES_OF_THE_NETWORK if network else ())
        for part in ((_JUMP_EQUAL, 0, 1, family), (_RETURN, 0, 0, _ALLOW))
    ]
    yield from _inspect(_SOCKET, _FIRST, [*open_families, (_RETURN, 0, 0, _REFUSE | errno.EACCES)])
    if unseen:  # of an open file only, and not by its path
        yield from _inspect(_UTIMENSAT, _SECOND, [(_JUMP_EQUAL, 1, 0, 0), (_RETURN, 0, 0, _REFUSE | errno.EPERM)])
    yield (_RETURN, 0, 0, _ALLOW)


def _refuse(value: int, code: int) -> list[Instruction]:
    return [(_JUMP_EQUAL, 0, 1, value), (_RETURN, 0, 0, _REFUSE | code)]


def _inspect(number: int, argument: int, body: list[Instruction]) -> Iterable[Instruction]:
    """Judge an argument of one call: `body` sees its low half, and falls through to allow it."""
    yield (_JUMP_EQUAL, 0, len(body) + 2, number)
    yield (_LOAD, 0, 0, argument)
    yield from body
    yield (_RETURN, 0, 0, _ALLOW)
