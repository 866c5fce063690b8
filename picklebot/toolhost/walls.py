"""What a tool process shuts itself into where there is no namespace for it: Landlock, in two layers.

The process keeps what it needs to serve files, and to end what its commands leave behind; a command, which is the agent's
own, gets less: nothing of /proc, none of what the guard hides, and nothing new at the top of the workspace or of a
checkout in it, because Landlock adds rights and takes none away. Promises that walls which do not stand end the process. Knows no tool.
"""

import ctypes
import json
import os
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import PurePosixPath

from picklebot.toolhost import guard, homes, landlock, nested
from picklebot.toolhost.wire import Failure

_PR_SET_DUMPABLE, _PR_CAPBSET_DROP, _CAPABILITIES = 4, 24, 64  # linux/prctl.h
_CAPABILITY_VERSION = 0x20080522  # linux/capability.h
_DEVICES = ("null", "zero", "full", "random", "urandom")


@dataclass(frozen=True)
class Walls:
    """`readable`: what may be read besides the workspace, `fixed`: names at its top that may not be written.

    `more`: what may be written besides; only where the process itself is the whole of what is shut in.
    """

    readable: Sequence[str]
    fixed: Sequence[str]
    writable: bool
    network: bool
    more: Sequence[str] = ()

    def to_json(self) -> str:
        """Return it as an argument of the program."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Walls":
        """Read the argument back."""
        return cls(**json.loads(text))

    def raise_around_host(self, root: str) -> None:
        """Shut the tool process in, with a folder of its own that it calls home."""
        folder = os.environ["TMPDIR"] = os.environ["HOME"] = homes.make()
        rights = landlock.READ | (landlock.WRITE if self.writable else 0)
        rules = [*self._everywhere(folder), ("/proc", landlock.READ), (root, rights)]
        rules += [(path, landlock.READ | landlock.WRITE) for path in self.more]
        landlock.restrict(rules, network=self.network)
        _drop_capabilities()

    def raise_around_command(self, root: str) -> None:
        """Shut in what is about to become the agent's own command."""
        # One after the other: what is yielded is open only until the next one is asked for.
        rules = chain(self._everywhere(os.environ["TMPDIR"]), [(root, landlock.LIST)], self._beneath(root))
        landlock.restrict(rules, network=self.network)

    def raise_around_resident(self, root: str) -> None:
        """Shut in what is about to become a program that has `root` for its own."""
        rules = [*self._everywhere(os.environ["TMPDIR"]), (root, landlock.READ | landlock.WRITE)]
        landlock.restrict(rules, network=self.network)

    def fall(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(os.environ["TMPDIR"], ignore_errors=True)

    def _everywhere(self, folder: str) -> Iterator[landlock.Rule]:
        yield from ((path, landlock.READ) for path in self.readable)
        yield from ((f"/dev/{name}", landlock.READ | landlock.WRITE) for name in _DEVICES)
        yield folder, landlock.READ | landlock.WRITE

    def _beneath(self, root: str) -> Iterator[landlock.Rule]:
        """Yield what is in the workspace; a folder in which something is fixed is taken apart, as the top is."""
        obeyed = nested.obeyed(root) if self.writable else dict[str, nested.Identity]()
        apart = {str(parent) for path in obeyed for parent in PurePosixPath(path).parents}
        tree, folders = nested.open_tree(root), [""]
        for folder in folders:
            for entry in nested.entries(tree, folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if not folder and guard.refusal([entry.name], writing=False):
                    continue
                fixed = path in obeyed or (not folder and self._is_fixed(entry.name))
                if path in apart and not fixed:
                    folders.append(path)
                    fixed = True
                with suppress(Failure):
                    fd = tree.open(path, os.O_PATH)
                    yield fd, landlock.READ | (landlock.WRITE if self.writable and not fixed else 0)
                    os.close(fd)

    def _is_fixed(self, name: str) -> bool:
        return name in self.fixed or guard.refusal([name], writing=True) is not None


def hide_memory() -> None:
    """Let no command look into this process or take it over."""
    if sys.platform == "linux":
        nothing = ctypes.c_ulong(0)
        ctypes.CDLL(None).prctl(_PR_SET_DUMPABLE, nothing, nothing, nothing, nothing)


def _drop_capabilities() -> None:
    """Keep nothing of what root may do; harmless to others."""
    libc = ctypes.CDLL(None, use_errno=True)
    nothing = ctypes.c_ulong(0)
    for capability in range(_CAPABILITIES):  # fails where there is none of that number, or where we may not
        libc.prctl(_PR_CAPBSET_DROP, ctypes.c_ulong(capability), nothing, nothing, nothing)
    header, none = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0), (ctypes.c_uint32 * 6)()
    if libc.capset(header, none) != 0:
        raise OSError(ctypes.get_errno(), "capset")
