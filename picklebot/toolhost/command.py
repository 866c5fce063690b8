"""One shell command, in a process that does nothing else: it starts the command, listens, and ends its family.

Promises an answer within the command's seconds plus the moments it takes to kill: whatever the command forks, floods
or leaves behind. Run as the only thread of its process, which adopts every orphan below it.
"""

import os
import resource
import selectors
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

from picklebot.toolhost import family
from picklebot.toolhost.kept import Kept
from picklebot.toolhost.starting import child_bell, fork, spawn
from picklebot.toolhost.walls import Walls
from picklebot.toolhost.wire import Failure

MAX_OUTPUT = 64_000_000  #: bytes, after which a command is stopped
MAX_PROCESSES = 256  #: at once
GLANCE, LOOK = 0.05, 0.25  #: seconds between two counts of processes, and between two of their memory
LINGER = 0.5  #: seconds that a background process may hold the output open once the command itself has ended
_CHUNK = 65536
_MEGABYTE = 1024 * 1024
_FILE_MB = 512  #: the largest file a command may write


def run(
    root: str, given: Mapping[str, Any], seconds: float, *, control: int, memory_mb: int, walls: Walls | None = None
) -> str:
    """Return what the command wrote, and how it ended. Its end is ours too if `control` is closed before."""
    family.adopt_orphans()
    _limit(memory_mb, seconds)
    os.chdir(root)
    shut_in = partial(walls.raise_around_command, root) if walls else None
    command = _Command(given["command"], control, memory_mb, shut_in)
    try:
        ending = command.follow(time.monotonic() + seconds)
    finally:
        left = family.end_all(command.pid)
    notes = [*command.words(ending, seconds)]
    if left and ending == "ended":
        notes.append(f"[ended {left} process{'es' if left > 1 else ''} that it left running: nothing outlives a call]")
    text = command.output.text().rstrip("\n")
    return "\n".join([*([text] if text else []), *notes]) or "(no output)"


class _Command:
    """The command; `pid` is also its process group."""

    def __init__(self, command: str, control: int, memory_mb: int, shut_in: Callable[[], None] | None = None) -> None:
        self.output = Kept()
        self._memory_mb = memory_mb
        self._crowd = family.crowd()
        self._counted = self._weighed = time.monotonic()
        self._control = control
        self._status: int | None = None
        self._reading, writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._bell = child_bell()
        shell = "/bin/bash" if Path("/bin/bash").exists() else "/bin/sh"
        try:
            arguments = [shell, "-c", command]
            self.pid = spawn(arguments, writing) if shut_in is None else fork(arguments, writing, shut_in)
        except (OSError, ValueError) as exc:
            raise Failure(f"the command could not be started: {exc}") from exc
        finally:
            os.close(writing)

    def follow(self, deadline: float) -> str:
        """Read until the command ends, or must; return which."""
        with selectors.DefaultSelector() as selector:
            for fd in (self._reading, self._control, self._bell):
                selector.register(fd, selectors.EVENT_READ)
            while (left := deadline - time.monotonic()) > 0:
                ready = {key.fd for key, _ in selector.select(min(left, GLANCE))}
                if self._control in ready and not os.read(self._control, _CHUNK):
                    raise Failure("stopped")
                if self._bell in ready:
                    os.read(self._bell, _CHUNK)
                    self._reap()
                    if self._status is not None:
                        deadline = min(deadline, time.monotonic() + LINGER)
                if self._reading in ready and not self._read():
                    selector.unregister(self._reading)
                    self._reading = -1
                if self.output.total > MAX_OUTPUT:
                    return "flooded"
                if excess := self._excess():
                    return excess
                if self._status is not None and self._reading < 0:
                    return "ended"
        return "ended" if self._status is not None else "late"

    def _excess(self) -> str | None:
        """Look from time to time at what the whole family holds: limits of the kernel count each process alone."""
        now = time.monotonic()
        if now - self._counted >= GLANCE:
            self._counted = now
            if family.crowd() - self._crowd > MAX_PROCESSES:
                family.end_everything_here()
                return "crowded"
        if now - self._weighed < LOOK:
            return None
        self._weighed = now
        held = sum(family.weigh([os.getpid()]).values())
        return "greedy" if self._memory_mb and held > self._memory_mb * _MEGABYTE else None

    def words(self, ending: str, seconds: float) -> list[str]:
        """Return what the model must know beside the output."""
        if ending == "late":
            return [f"[stopped after {seconds:g} s, and everything it had started; a longer timeout may help]"]
        if ending == "flooded":
            return [f"[stopped after {MAX_OUTPUT:,} bytes of output; write less, or into a file]"]
        if ending == "crowded":
            return [f"[stopped: it had started more than {MAX_PROCESSES} processes]"]
        if ending == "greedy":
            return [f"[stopped: its processes held more than {self._memory_mb:,} MiB of memory together]"]
        code = self._status or 0
        if code < 0:
            return [f"[ended by signal {-code} ({signal.Signals(-code).name})]"]
        return [f"[exit code {code}]"] if code else []

    def _read(self) -> bool:
        """Take what there is; return False at the end of the output."""
        with suppress(BlockingIOError):
            chunk = os.read(self._reading, _CHUNK)
            self.output.add(chunk)
            return bool(chunk)
        return True

    def _reap(self) -> None:
        """Collect whoever has ended: the command, and orphans that came to us."""
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self.pid:
                    self._status = os.waitstatus_to_exitcode(ended[1])


def _limit(memory_mb: int, seconds: float) -> None:
    wanted = {resource.RLIMIT_NOFILE: 256, resource.RLIMIT_CPU: int(seconds) * 4 + 10}
    if memory_mb:
        wanted[resource.RLIMIT_AS] = memory_mb * _MEGABYTE
    limit(wanted)


def limit(further: Mapping[int, int]) -> None:
    """Limit this process and all below it, as every command is and in what is `further`; what is stricter stays."""
    wanted = {resource.RLIMIT_CORE: 0, resource.RLIMIT_FSIZE: _FILE_MB * _MEGABYTE, **further}
    if os.geteuid() != 0:  # root is not bound by it
        wanted[resource.RLIMIT_NPROC] = 4096  # counts all of the user's processes, so it only stops a fork bomb
    for kind, value in wanted.items():
        hard = resource.getrlimit(kind)[1]
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(kind, (bound, bound))
