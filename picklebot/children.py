"""Programs that are started in a group of their own, and ended with it.

Promises that who is cancelled while a program starts leaves nothing of it behind, and that nobody waits for a dead
process because somebody else holds its pipes. Knows no program.
"""

import asyncio
import os
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from picklebot.core.finishing import to_the_end

GLANCE = 0.005  #: seconds between two looks at a process that was just killed


async def start(
    command: Sequence[str], environment: Mapping[str, str], *, folder: Path | None, limit: int, stderr: int = PIPE
) -> Process:
    """Start a program that is spoken to over its stdin and stdout; a line from it has at most `limit` bytes.

    Cancelled, it lets the program come up, and ends it. asyncio by itself would kill one process while it makes
    others, and then wait for pipes that those hold and nobody reads.

    Raises:
        OSError: it cannot be started.
    """
    made = asyncio.create_subprocess_exec(
        *command,
        stdin=PIPE,
        stdout=PIPE,
        stderr=stderr,
        env=dict(environment),
        cwd=folder,
        limit=limit,
        start_new_session=True,
    )
    starting = asyncio.create_task(made, name=f"starts {command[0]}")
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        await to_the_end(_undo(starting), name=f"ends {command[0]}")
        raise


def kill(process: Process) -> None:
    """End a process, its children and its group now.

    The children, because one that has just left the group may not have asked yet to be ended with its parent, as that
    of bubblewrap does: it would be nobody's.
    """
    if process.returncode is not None:  # the number may be somebody else's by now
        return
    with suppress(ProcessLookupError, PermissionError):
        for child in _children(process.pid):
            os.kill(child, signal.SIGKILL)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


async def let_go(process: Process) -> None:
    """Wait until a process that is to be dead is gone, and close its pipes, whoever holds their other ends.

    `Process.wait` alone returns only when all of them are closed (https://github.com/python/cpython/issues/119710).
    """
    while process.returncode is None:  # noqa: ASYNC110  # nothing tells of it; closed before, the transport would reap it
        await asyncio.sleep(GLANCE)
    if process.stdin is not None and process.stdin.transport.get_write_buffer_size():
        process.stdin.transport.abort()  # what nobody has read yet is not waited for
    transport: Any = getattr(process, "_transport")  # noqa: B009  # there is no public door to its other pipes
    transport.close()
    await process.wait()


def _children(pid: int) -> list[int]:
    """Return the children of a process; none where the system does not say (proc_pid_children(5))."""
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
    except OSError:
        return []


async def _undo(starting: "asyncio.Task[Process]") -> None:
    with suppress(OSError):
        process = await starting
        kill(process)
        await let_go(process)
