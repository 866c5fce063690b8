"""Starts daemons cheaply: a process that has imported everything, and forks one child for each.

Importing picklebot and the SDK costs most of a start, so it is paid once. A child then runs what `python -m picklebot`
runs, from the command line down, in a process and a session of its own: what kills it kills a real daemon. Promises
that no child outlives this process, and that this process ends when its stdin does. Knows no platform and no judge.

    python -m tests.crash.nursery     reads {"id", "workspace", "log", "key", "plant"}, writes {"id", "pid"} and {"id", "status"}
"""

import asyncio
import ctypes
import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from picklebot.cli import server as server
from picklebot.cli.main import main as picklebot
from picklebot.config import Config
from picklebot.core.messages import Message
from picklebot.models import anthropic
from picklebot.models.base import ModelRequest
from picklebot.testing import platform as platform
from picklebot.testing.messages_api import MessagesApi
from picklebot.workspace import Workspace
from tests.crash.daemons import KEY_VARIABLE
from tests.crash.plants import JOB_PLANTS, PLANTS

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>


class Nursery:
    """Forks on demand, and says who ended and how. It has one thread, so that a fork is safe."""

    def __init__(self) -> None:
        self._children: dict[int, int] = {}
        self._bell, self._wake = socket.socketpair()
        self._wake.setblocking(False)

    def serve(self) -> Mapping[str, Any] | None:
        """Take orders. Returns in each child what it is to be, and here, when stdin ends, None."""
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        signal.set_wakeup_fd(self._wake.fileno())
        pending, bell = b"", self._bell.fileno()
        while True:
            readable, _, _ = select.select([0, bell], [], [])
            if bell in readable:
                self._bell.recv(4096)
                self._reap()
            if 0 not in readable:
                continue
            read = os.read(0, 1 << 16)
            if not read:
                return None
            *lines, pending = (pending + read).split(b"\n")
            for line in lines:
                order: Mapping[str, Any] = json.loads(line)
                if self._fork(order["id"]):
                    return order

    def _fork(self, number: int) -> bool:
        """Return whether this is the child."""
        pid = os.fork()
        if pid == 0:
            return True
        self._children[pid] = number
        _say(id=number, pid=pid)
        return False

    def _reap(self) -> None:
        while self._children:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                return
            _say(id=self._children.pop(pid), status=os.waitstatus_to_exitcode(status))


def _say(**words: int) -> None:
    os.write(1, json.dumps(words).encode() + b"\n")


def _warm_up() -> None:
    """Do what every start would do first, and what leaves nothing behind."""
    anthropic.preload()
    Config.build({}, workspace=Workspace(Path("/")), env={})  # builds the validators of the settings
    asyncio.run(_ask_once())
    gc.collect()
    gc.freeze()  # so that a child's collector does not touch, and copy, every page


async def _ask_once() -> None:
    """Ask a model, because much of the client is built when it is first used."""
    request = ModelRequest(system="", messages=[Message.user("hello")], tools=[], max_tokens=10)
    async with MessagesApi("hello") as api:
        model = anthropic.create(name="warm-up", base_url=api.url, api_key="none")
        async for _ in model.stream(request):
            pass
        await model.aclose()


def _become(order: Mapping[str, Any]) -> None:
    """Cut what ties the child to its parent, but for dying with it."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    log = os.open(order["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, 1)
    os.dup2(log, 2)
    os.chdir(order["workspace"])
    os.environ[KEY_VARIABLE] = order["key"]
    if order["plant"] is not None:
        name = order["plant"]
        (JOB_PLANTS.get(name) or PLANTS[name].plant)()
    sys.argv = ["picklebot", "-w", order["workspace"], "server"]


def main() -> None:
    """Take orders until stdin ends; the children leave by the door of `picklebot` itself."""
    _warm_up()
    order = Nursery().serve()
    if order is not None:
        _become(order)
        picklebot()


if __name__ == "__main__":
    main()
