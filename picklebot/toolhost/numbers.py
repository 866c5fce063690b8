"""The numbers of system calls, for each processor that we know, and how its kernel names it.

x86-64 has its own (asm/unistd_64.h), aarch64 the common ones (asm-generic/unistd.h), in which the older of two calls that do the
same is mostly missing. From 424 on they are the same everywhere. Promises numbers. Knows no filter.
"""

from collections.abc import Mapping
from dataclasses import dataclass

Pair = tuple[int, int | None]  # on x86-64, on aarch64

#: Ways in which programs have left sandboxes.
REFUSED: Mapping[str, Pair] = {
    "ptrace": (101, 117), "syslog": (103, 116), "vhangup": (153, 58), "pivot_root": (155, 41), "adjtimex": (159, 171),
    "chroot": (161, 51), "acct": (163, 89), "settimeofday": (164, 170), "mount": (165, 40), "umount2": (166, 39),
    "swapon": (167, 224), "swapoff": (168, 225), "reboot": (169, 142), "sethostname": (170, 161),
    "setdomainname": (171, 162), "iopl": (172, None), "ioperm": (173, None), "init_module": (175, 105),
    "delete_module": (176, 106), "quotactl": (179, 60), "lookup_dcookie": (212, 18), "clock_settime": (227, 112),
    "kexec_load": (246, 104), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "unshare": (272, 97), "perf_event_open": (298, 241), "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265), "clock_adjtime": (305, 266), "setns": (308, 268), "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271), "kcmp": (312, 272), "finit_module": (313, 273), "kexec_file_load": (320, 294),
    "bpf": (321, 280), "userfaultfd": (323, 282), "io_uring_setup": (425, 425), "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "pidfd_getfd": (438, 438),
    "mount_setattr": (442, 442), "memfd_secret": (447, 447), "quotactl_fd": (443, 443), "open_tree_attr": (467, 467),
}  # fmt: skip
#: What walls by path do not see: modes, owners, times, and what is shared without a name in the file system.
UNSEEN: Mapping[str, Pair] = {
    "chmod": (90, None), "fchmod": (91, 52), "chown": (92, None), "fchown": (93, 55), "lchown": (94, None),
    "fchmodat": (268, 53), "fchownat": (260, 54), "fchmodat2": (452, 452), "setxattr": (188, 5),
    "lsetxattr": (189, 6), "fsetxattr": (190, 7), "removexattr": (197, 14), "lremovexattr": (198, 15),
    "fremovexattr": (199, 16), "setxattrat": (463, 463), "removexattrat": (466, 466), "utime": (132, None),
    "utimes": (235, None), "futimesat": (261, None), "shmget": (29, 194), "shmat": (30, 196), "semget": (64, 190),
    "msgget": (68, 186), "mq_open": (240, 180), "file_setattr": (469, 469),
}  # fmt: skip
#: Those of which an argument is looked at.
JUDGED: Mapping[str, Pair] = {
    "socket": (41, 198), "socketpair": (53, 199), "clone": (56, 220), "clone3": (435, 435), "ioctl": (16, 29), "utimensat": (280, 88),
}  # fmt: skip


@dataclass(frozen=True)
class Processor:
    """A kind of processor. `audit` is its name in linux/audit.h; numbers from `foreign` on are a second set, or none."""

    audit: int
    column: int
    foreign: int | None = None

    def number(self, name: str) -> int:
        """Return the number of a call that every processor has."""
        found = JUDGED[name][self.column]
        assert found is not None
        return found

    def numbers(self, calls: Mapping[str, Pair]) -> list[int]:
        """Return the numbers of those calls that there are."""
        return [number for pair in calls.values() if (number := pair[self.column]) is not None]


PROCESSORS: Mapping[str, Processor] = {
    "x86_64": Processor(audit=0xC000003E, column=0, foreign=0x40000000),  # x32
    "aarch64": Processor(audit=0xC00000B7, column=1),
}
