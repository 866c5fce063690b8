"""What the figures were measured on."""

import os
import platform
import sqlite3
import sys
from pathlib import Path
from statistics import median
from time import perf_counter

BLOCK = b"x" * 512


def facts(folder: Path) -> str:
    """Return the machine in one line: figures of two machines compare by their ratios only."""
    fsync = median(fsync_seconds(folder, 200)) * 1000
    return (
        f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, fsync p50 {fsync:.2f} ms"
    )


def fsync_seconds(folder: Path, count: int) -> list[float]:
    """Return how long each of `count` appends of 512 bytes took to reach the disk."""
    path = folder / "fsync"
    taken: list[float] = []
    sync = os.fdatasync if sys.platform == "linux" else os.fsync
    with path.open("ab", buffering=0) as file:
        for _ in range(count):
            began = perf_counter()
            file.write(BLOCK)
            sync(file.fileno())
            taken.append(perf_counter() - began)
    path.unlink()
    return taken


def resident_mb(pid: int) -> float:
    """Return the memory that a process holds now, in MB.

    Linux only: elsewhere there is no /proc to ask.
    """
    with Path(f"/proc/{pid}/status").open(encoding="ascii") as lines:
        return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:"))
