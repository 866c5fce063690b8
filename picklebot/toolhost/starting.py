"""How a program is started below a tool process: with nothing to read, one place to write, and shut in first if need be.

Promises a group of its own for each, and a descriptor that tells when one ends. Knows no call.
"""

import os
import signal
from collections.abc import Callable

_IGNORED = (signal.SIGPIPE, signal.SIGXFSZ)  # by Python, and a child would inherit that


def spawn(arguments: list[str], writing: int) -> int:
    """Start a program by its path; return its process id, which is its group's too."""
    return os.posix_spawn(
        arguments[0],
        arguments,
        os.environ,
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, writing, 1),
            (os.POSIX_SPAWN_DUP2, writing, 2),
        ],
        setsid=True,
        setsigdef=[*_IGNORED],
    )


def fork(arguments: list[str], writing: int, shut_in: Callable[[], None]) -> int:
    """Start it from a copy of ourselves, which shuts itself in first."""
    if any("\0" in argument for argument in arguments):
        raise ValueError("embedded null byte")
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setsid()
        for number in _IGNORED:
            signal.signal(number, signal.SIG_DFL)
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        shut_in()
        os.execv(arguments[0], arguments)  # noqa: S606  # the command itself names the shell's words
    except OSError as exc:
        os.write(2, f"the command could not be shut in: {exc}\n".encode())
    finally:
        os._exit(126)


def child_bell() -> int:
    """Return a descriptor that becomes readable whenever a child ends."""
    reading, writing = os.pipe()
    os.set_blocking(reading, False)
    os.set_blocking(writing, False)
    signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda _number, _frame: None)
    return reading
