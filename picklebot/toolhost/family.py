"""Processes below this one: none outlives its call.

Promises that a descendant cannot leave by `setsid` or by losing its parents: what is orphaned comes to us, and is
ended. Where there is no /proc, only the group of the command itself can be found. Knows no command.
"""

import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36  # linux/prctl.h
_PROC = Path("/proc")
_RSS = 19  # where the resident pages stand behind the parent in /proc/PID/stat (proc_pid_stat(5))
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PAUSE = 0.002  # seconds between looks at processes that are dying


def adopt_orphans() -> None:
    """Become the parent of every descendant whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """End when the thread that started us does."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, ctypes.c_ulong(value), 0, 0, 0)


def descendants(of: Iterable[int], *, proc: Path = _PROC) -> set[int]:
    """Return the living processes below `of`, at any depth."""
    return set(weigh(of, proc=proc))


def weigh(of: Iterable[int], *, proc: Path = _PROC) -> dict[int, int]:
    """Return the living processes below `of`, at any depth, each with the memory that it holds, in bytes."""
    children: dict[int, list[int]] = {}
    held: dict[int, int] = {}
    for entry in proc.glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            # The name stands in parentheses, and may hold anything.
            state, parent, *more = entry.read_text(errors="replace").rpartition(")")[2].split()
            if state != "Z":
                pid = int(entry.parent.name)
                children.setdefault(int(parent), []).append(pid)
                held[pid] = int(more[_RSS]) * _PAGE
    found: dict[int, int] = {}
    open_ = list(of)
    while open_:
        below = [pid for pid in children.get(open_.pop(), []) if pid not in found]
        found.update({pid: held[pid] for pid in below})
        open_ += below
    return found


def crowd(*, proc: Path = _PROC) -> int:
    """Return how many processes there are, ours or not: a count that costs little."""
    with suppress(OSError):
        return sum(name.isdigit() for name in os.listdir(proc))  # noqa: PTH208  # names alone, and quickly
    return 0


def end_everything_here(*, proc: Path = _PROC) -> None:
    """Where we have a namespace of our own, kill all that is in it at one stroke: nothing forks faster than that.

    The tool process goes too, and a new one takes its place. Elsewhere this does nothing.
    """
    with suppress(OSError):
        if (proc / "1" / "comm").read_text() == "bwrap\n":
            os.kill(-1, signal.SIGKILL)


def end(pids: Iterable[int]) -> None:
    """Kill `pids`, all stopped before the first dies, so that none can start another meanwhile."""
    listed = list(pids)
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in listed:
            with suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def end_all(group: int, *, patience: float = 5.0, proc: Path = _PROC) -> int:
    """Kill every descendant, reap it, and return how many there were; what cannot be killed is left after `patience`.

    `group` is the process group of the command, for systems on which its descendants cannot be listed.
    """
    if not (proc / "self").exists():
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(group, signal.SIGKILL)
    deadline = time.monotonic() + patience
    ended: set[int] = set()
    while reap() and time.monotonic() < deadline:
        living = descendants([os.getpid()], proc=proc)
        ended |= living
        end(living)
        time.sleep(_PAUSE)
    return len(ended)


def reap() -> bool:
    """Collect the children that have ended; return whether there are others."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True
