"""A program that stays: started here, watched, and ended with all that it started.

Promises that nothing of it outlives this process, that this process ends when its stdin does, whoever closed it, and
that the program's end is told in one line of JSON on stdout, where the program itself cannot write. Knows no message.
"""

import json
import os
import resource
import selectors
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from picklebot.toolhost import family
from picklebot.toolhost.command import MAX_PROCESSES, limit
from picklebot.toolhost.starting import child_bell, fork
from picklebot.toolhost.walls import Walls

COUNT, WEIGH = 0.25, 1.0  #: seconds between two counts of processes, and between two of their memory
OPEN_FILES = 1024
_CHUNK = 4096
_MEGABYTE = 1024 * 1024
_OUTPUT = 2  # the program's stdout is ours for errors


def stay(root: str, command: Sequence[str], *, memory_mb: int, walls: Walls | None = None) -> None:
    """Run `command` in `root` until it ends, holds too much, or nobody holds our stdin any more; say why it ended."""
    family.adopt_orphans()
    limit({resource.RLIMIT_NOFILE: OPEN_FILES})
    os.chdir(root)
    os.environ["HOME"] = root  # where it finds again what it leaves
    bell = child_bell()
    program = shutil.which(command[0])
    if program is None:
        _tell(f"its program {command[0]!r} was not found, or may not be run, where it is started")
        return
    arguments = [os.path.abspath(program), *command[1:]]  # noqa: PTH100  # links stay as they are: a venv is known by its
    try:
        started = fork(arguments, _OUTPUT, partial(_shut_in, root, walls))
    except (OSError, ValueError) as exc:
        _tell(f"its program could not be started: {exc}")
        return
    try:
        _tell(_Watch(started, bell, memory_mb).follow())
    finally:
        family.end_all(started)
        if walls:
            walls.fall()


def _shut_in(root: str, walls: Walls | None) -> None:
    family.die_with_parent()
    if walls:
        walls.raise_around_resident(root)


class _Watch:
    """Looks after a program that runs."""

    def __init__(self, pid: int, bell: int, memory_mb: int) -> None:
        self._pid = pid
        self._bell = bell
        self._memory_mb = memory_mb
        self._crowd = family.crowd()
        self._weighed = time.monotonic()

    def follow(self) -> str:
        """Return why it is over."""
        stdin = sys.stdin.fileno()
        with selectors.DefaultSelector() as selector:
            selector.register(stdin, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while True:
                ready = {key.fd for key, _ in selector.select(COUNT)}
                if stdin in ready and not os.read(stdin, _CHUNK):
                    return "it was told to end"
                if self._bell in ready:
                    os.read(self._bell, _CHUNK)
                    if (status := self._reap()) is not None:
                        return _ending(status)
                if excess := self._excess():
                    return excess

    def _reap(self) -> int | None:
        """Collect whoever has ended, orphans that came to us too; return the status of the program, if it has."""
        found: int | None = None
        with suppress(ChildProcessError):
            while (ended := os.waitpid(-1, os.WNOHANG))[0]:
                if ended[0] == self._pid:
                    found = os.waitstatus_to_exitcode(ended[1])
        return found

    def _excess(self) -> str:
        if family.crowd() - self._crowd > MAX_PROCESSES:
            words = f"it had started more than {MAX_PROCESSES} processes"
            _tell(words)  # now: what comes next may end us too
            family.end_everything_here()
            return words
        now = time.monotonic()
        if now - self._weighed < WEIGH:
            return ""
        self._weighed = now
        held = sum(family.weigh([os.getpid()]).values())
        if self._memory_mb and held > self._memory_mb * _MEGABYTE:
            return f"its processes held more than {self._memory_mb:,} MiB of memory together"
        return ""


def _ending(status: int) -> str:
    if status < 0:
        return f"its program was ended by signal {-status} ({signal.Signals(-status).name})"
    return f"its program ended with exit code {status}" if status else ""


def _tell(why: str) -> None:
    """Say it; "" is an end of its own accord. Only the first word counts."""
    with suppress(OSError):  # nobody listens any more
        sys.stdout.write(json.dumps({"ended": why}) + "\n")
        sys.stdout.flush()
