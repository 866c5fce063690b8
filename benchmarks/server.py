"""The real program, started as a service manager would, and watched from outside."""

import os
import subprocess
import sys
import threading
from collections.abc import Generator
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
class Server:
    """A daemon in a process of its own, and the seconds from its start until it said that it is ready."""

    root: Path
    pid: int
    ready: float

    def resident_mb(self) -> float:
        """Return the memory that it holds now."""
        return resident_mb(self.pid)

    def drain(self, seconds: float) -> tuple[int, float, float]:
        """Wait until nothing is open, at most so long; return how many were answered, in how long, and the peak MB."""
        before, began, peak = count_open(self.root), perf_counter(), 0.0
        left = before
        while left and perf_counter() - began < seconds:
            sleep(LOOK_EVERY)
            left, peak = count_open(self.root), max(peak, self.resident_mb())
        return before - left, perf_counter() - began, peak


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
            yield Server(root=root, pid=process.pid, ready=ready)
        finally:
            timer.cancel()
            process.terminate()
            try:
                process.wait(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
        rest.join()
