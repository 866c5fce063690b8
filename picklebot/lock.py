"""One daemon a workspace.

Promises that while the block lasts no other process opens the same workspace, and that whoever is refused hears who
holds it. The lock is the kernel's, so it dies with its holder. Knows nothing of what the holder does.
"""

import fcntl
import json
import os
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from picklebot.errors import Transient

JOINABLE = frozenset({"server", "mcp"})  #: the roles of processes whose gateway listens, so that others may join them
_TRIES, _PAUSE = 5, 0.01  # seconds


class AlreadyRunning(Transient):
    """Another process holds the workspace."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a workspace: its process, what it is (server, mcp, chat, ask), and where its gateway listens, if it does."""

    pid: int
    role: str
    started_at: str
    url: str | None = None


_UNKNOWN = Holder(pid=0, role="process", started_at="")  # one who has not said yet


@contextmanager
def hold(lock_file: Path, daemon_file: Path, holder: Holder) -> Generator[None, None, None]:
    """Hold the workspace; `daemon_file` says so for as long as the block lasts.

    Raises:
        AlreadyRunning: somebody else does.
    """
    descriptor = os.open(lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(descriptor, daemon_file)
        announce(daemon_file, holder)
        try:
            yield
        finally:
            daemon_file.unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def announce(daemon_file: Path, holder: Holder) -> None:
    """Say who holds the workspace, whole or not at all; for whoever holds it."""
    temporary = daemon_file.with_suffix(".tmp")
    temporary.write_text(json.dumps(asdict(holder)))
    temporary.replace(daemon_file)


def _take(descriptor: int, daemon_file: Path) -> None:
    for patience in range(_TRIES, -1, -1):
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as exc:
            if not patience:
                raise AlreadyRunning(_refusal(daemon_file)) from exc
            time.sleep(_PAUSE)  # it may be `holder_of`, which looks by holding for a moment
        else:
            return


def holder_of(lock_file: Path, daemon_file: Path) -> Holder | None:
    """Return who holds the workspace now; None if nobody does."""
    try:
        descriptor = os.open(lock_file, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = _read(daemon_file)
        # Between the lock and the file, what is read there may be of a last holder that was killed: nobody listens there.
        return holder if holder.url is None or _lives(holder.pid) else _UNKNOWN
    finally:
        os.close(descriptor)
    return None


def _read(daemon_file: Path) -> Holder:
    try:
        return Holder(**json.loads(daemon_file.read_text()))
    except (OSError, ValueError, TypeError):
        return _UNKNOWN


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def _refusal(daemon_file: Path) -> str:
    holder = _read(daemon_file)
    who = f"a picklebot {holder.role}" + (f" (process {holder.pid}, since {holder.started_at})" if holder.pid else "")
    return f"{who} already runs in this workspace; stop it first, or choose another workspace with -w"
