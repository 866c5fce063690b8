"""The real program, started as a service manager would, and watched from outside."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

from benchmarks.daemon import ENV, People, prepare
from benchmarks.machine import resident_mb
from benchmarks.stored import count_open

TOP = Path(__file__).resolve().parent.parent
READY = " is ready "
PATIENCE = 120.0  #: seconds until a server that is not ready counts as broken
LOOK_EVERY = 0.1  #: seconds between two looks at the database from outside
_SINK = "channels: {{{name}: {{enabled: true, use: benchmarks.sink}}}}\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """A server at one moment: seconds since the first look, what is open, and what it has used."""

    at: float
    left: int
    busy: float
    mb: float


@dataclass(frozen=True, slots=True)
class Drained:
    """How a server worked off what was open: `waiting` before its start, and less of it at each look."""

    waiting: int
    looks: Sequence[Look]

    @property
    def answered(self) -> int:
        """How many messages are no longer open, those included that it answered before it said that it was ready."""
        return self.waiting - self.looks[-1].left

    @property
    def rate(self) -> float:
        """Answers a second."""
        return self._seen / self.looks[-1].at if self._seen else 0.0

    @property
    def peak(self) -> float:
        """The most memory that was seen, in MB."""
        return max(look.mb for look in self.looks)

    def cost(self, begin: float, end: float) -> float:
        """Return seconds of the server's processor for one answer, between two shares of all that were given.

        On a shared machine this says more than a rate does: it does not change with what the neighbours do.
        """
        first = next(look for look in self.looks if self._share(look) >= begin)
        last = next(look for look in self.looks if self._share(look) >= end)
        return (last.busy - first.busy) / max(first.left - last.left, 1)

    def _share(self, look: Look) -> float:
        return (self.looks[0].left - look.left) / max(self._seen, 1)

    @property
    def _seen(self) -> int:
        return self.looks[0].left - self.looks[-1].left


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """A daemon in a process of its own, and the seconds from its start until it said that it is ready."""

    root: Path
    pid: int
    ready: float
    waiting: int
    """Messages that were open before it was started."""

    def resident_mb(self) -> float:
        """Return the memory that it holds now."""
        return resident_mb(self.pid)

    def busy(self) -> float:
        """Return the seconds of the processor that it has used. Linux only."""
        fields = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def drain(self, seconds: float) -> "Drained":
        """Watch until nothing is open, at most so long."""
        began = perf_counter()
        looks = [Look(at=0.0, left=count_open(self.root), busy=self.busy(), mb=self.resident_mb())]
        while looks[-1].left and looks[-1].at < seconds:
            sleep(LOOK_EVERY)
            left = count_open(self.root)
            looks.append(Look(at=perf_counter() - began, left=left, busy=self.busy(), mb=self.resident_mb()))
        return Drained(self.waiting, looks)


def workspace(root: Path, url: str | None) -> Path:
    """Make a workspace for a server: the model at `url` or the offline one, and a channel that takes every reply."""
    prepare(root, url)
    with (root / "config.yaml").open("a", encoding="utf-8") as file:
        file.write(_SINK.format(name=People.name))
    return root


def environment() -> dict[str, str]:
    """Return the environment of a program that finds picklebot and these benchmarks."""
    return {**os.environ, **ENV, "PYTHONPATH": str(TOP)}


@contextmanager
def server(root: Path) -> Generator[Server, None, None]:
    """Start a server in the workspace at `root`; yield once it is ready, and stop it at the end."""
    command = [sys.executable, "-m", "picklebot", "-w", str(root), "server"]
    waiting = count_open(root)
    began = perf_counter()
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        try:
            said: list[str] = []
            while not (said and READY in said[-1]):
                said.append(process.stderr.readline())
                if not said[-1]:
                    raise RuntimeError(f"the server ended before it was ready: {''.join(said)}")
            ready = perf_counter() - began
            timer.cancel()
            rest = threading.Thread(target=process.stderr.read, name="what the server says")
            rest.start()  # unread, its pipe would fill and stop it
            yield Server(root=root, pid=process.pid, ready=ready, waiting=waiting)
        finally:
            timer.cancel()
            process.terminate()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        rest.join()
