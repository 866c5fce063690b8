"""`picklebot server` as a process that can be killed and started again."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from picklebot.lock import holder_of
from picklebot.testing.messages_api import MessagesApi
from picklebot.workspace import Workspace
from tests.cli.running import PROGRAM, environment

PATIENCE = 40.0  #: seconds; only a failing test waits so long


class Server:
    """A daemon of a workspace; it listens on any free port, another one in each life."""

    def __init__(self, workspace: Path, **more: str) -> None:
        self._workspace = workspace
        self._environment = environment(PICKLEBOT_GATEWAY__ENABLED="true", PICKLEBOT_GATEWAY__PORT="0", **more)
        self._log = workspace.parent / "server.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it, and wait until it listens."""
        with self._log.open("ab") as log:
            command = [*PROGRAM, "-w", str(self._workspace), "server"]
            self._process = subprocess.Popen(command, env=self._environment, stderr=log)
        place, until = Workspace(self._workspace), time.monotonic() + PATIENCE
        while (holder := holder_of(place.lock_file, place.daemon_file)) is None or holder.url is None:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < until, self._log.read_text()
            time.sleep(0.02)

    def kill(self) -> None:
        """End it as a crash would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it in good order."""
        self._end(signal.SIGTERM)

    def freeze(self) -> None:
        """Let it do nothing any more, and hold on to everything."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def _end(self, number: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(PATIENCE)
            self._process = None


@asynccontextmanager
async def serving(workspace: Path, api: MessagesApi | None = None) -> AsyncIterator[Server]:
    """Run a daemon for as long as the block lasts, with `api` for its model, or offline."""
    settings: dict[str, str] = {}
    if api is not None:
        settings = {
            "PICKLEBOT_MODEL__PROVIDER": "anthropic",
            "PICKLEBOT_MODEL__BASE_URL": api.url,
            "ANTHROPIC_API_KEY": "test",
        }
    server = Server(workspace, **settings)
    await asyncio.to_thread(server.start)
    try:
        yield server
    finally:
        await asyncio.to_thread(server.kill)
