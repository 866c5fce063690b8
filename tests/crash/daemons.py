"""A daemon as the world sees it: a process that can be sent signals, and that ends.

Promises that what was started is gone when its block ends. Knows nothing of what a daemon does.
"""

import asyncio
import itertools
import json
import os
import signal
import sys
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

KEY_VARIABLE = "CRASH_KEY"  #: holds the model's key
TOP = Path(__file__).resolve().parent.parent.parent
_NOT_OURS = ("ANTHROPIC_", "OPENAI_", "PICKLEBOT_")


@dataclass(slots=True, kw_only=True, eq=False)
class Daemon:
    """One life of the daemon. `status` is its exit code, negative for the signal that ended it."""

    pid: int
    status: int | None = None
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal, at once; nothing if it has ended."""
        if self.status is None:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return  # it has ended, and the word is on its way

    def end(self, status: int) -> None:
        """It has ended."""
        self.status = status
        self.ended.set()


class Start(Protocol):
    """Starts `picklebot server` in a workspace."""

    async def __call__(self, workspace: Path, log: Path, *, key: str, plant: str | None = None) -> Daemon:
        """Return the running process; what it says goes to `log`.

        `key` is what it shows to the model, and `plant` names a bug to put into it first.
        """
        ...


@asynccontextmanager
async def nursery(folder: Path) -> AsyncGenerator[Start, None]:
    """Start daemons as forks of one warm process, which lasts as long as the block."""
    with (folder / "nursery.log").open("ab") as complaints:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.nursery"),
            cwd=TOP,
            env=clean_environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=complaints,
        )
    assert process.stdin
    assert process.stdout
    orders, words = process.stdin, process.stdout
    numbers = itertools.count()
    asked: dict[int, asyncio.Future[Daemon]] = {}

    async def listen() -> None:
        while line := await words.readline():
            said = json.loads(line)
            if "pid" in said:
                asked[said["id"]].set_result(Daemon(pid=said["pid"]))
            else:
                asked.pop(said["id"]).result().end(said["status"])

    async def start(workspace: Path, log: Path, *, key: str, plant: str | None = None) -> Daemon:
        number = next(numbers)
        answer: asyncio.Future[Daemon] = asyncio.get_running_loop().create_future()
        asked[number] = answer
        order = {"id": number, "workspace": str(workspace), "log": str(log), "key": key, "plant": plant}
        orders.write(json.dumps(order).encode() + b"\n")
        async with asyncio.timeout(30):
            return await answer

    listener = asyncio.create_task(listen(), name="nursery")
    try:
        yield start
    finally:
        orders.close()  # it ends, and its children with it
        await process.wait()
        await listener


async def cold(workspace: Path, log: Path, *, key: str, plant: str | None = None) -> Daemon:
    """Start one daemon as its users do. It ends by itself or by a signal."""
    assert plant is None, "only a daemon of the nursery can be planted with a bug"
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "picklebot", "-w", str(workspace), "server"),
            cwd=TOP,
            env={**clean_environment(), KEY_VARIABLE: key},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    daemon = Daemon(pid=process.pid)

    async def wait() -> None:
        daemon.end(await process.wait())

    _waiting.add(task := asyncio.create_task(wait(), name=f"daemon {process.pid}"))
    task.add_done_callback(_waiting.discard)
    return daemon


_waiting: set[asyncio.Task[None]] = set()


def clean_environment() -> dict[str, str]:
    """Return our environment without anything that would change what a daemon does."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)}
    return {**kept, "PYTHONPATH": str(TOP), "no_proxy": "127.0.0.1"}
