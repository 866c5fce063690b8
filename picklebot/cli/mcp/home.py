"""Which daemon answers: the one that runs in this workspace, else one in this process.

Promises that there is one whenever there can be one: a server that went away is waited for, and where none comes back
this process takes its place. Knows no tool.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from picklebot.cli.dial import token_of
from picklebot.cli.meeting import runs
from picklebot.config import Config
from picklebot.errors import DaemonAway, PicklebotError
from picklebot.lock import AlreadyRunning, Holder, holder_of
from picklebot.plugins import load

PATIENCE = 30.0  #: seconds for a server to come back; a service manager starts it again
PAUSE = 0.2
OWN = "picklebot.cli.mcp.own:run_own"


class Home:
    """What it runs itself is a task of `group`, and ends with `leave`."""

    def __init__(
        self, config: Config, group: asyncio.TaskGroup, *, tell: Callable[[str], None], patience: float = PATIENCE
    ) -> None:
        self._config = config
        self._group = group
        self._tell = tell
        self._patience = patience
        self._finding = asyncio.Lock()
        self._met: Holder | None = None
        self._stop = asyncio.Event()
        self._alone = False

    @property
    def begins_jobs(self) -> bool:
        """Whether the daemon that was found last begins jobs of files, as a server does."""
        return self._met is not None and self._met.role == "server"

    def leave(self) -> None:
        """Let what runs here end."""
        self._stop.set()

    async def find(self) -> tuple[str, str]:
        """Return where the daemon listens, and its token.

        Raises:
            PicklebotError: there is none to be had; the class says what to do about it.
        """
        async with self._finding:
            holder = self._holder()
            if holder is None or holder.url is None or self._met is None or holder.pid != self._met.pid:
                holder = await self._meet()
        return holder.url or "", await asyncio.to_thread(token_of, self._config)

    def _holder(self) -> Holder | None:
        workspace = self._config.workspace
        return holder_of(workspace.lock_file, workspace.daemon_file)

    async def _meet(self) -> Holder:
        """Return a daemon that listens, joined or begun."""
        if self._stop.is_set():
            raise DaemonAway("this process is about to end")
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._patience if self._met is not None and self._met.role == "server" else 0.0)
        while not await runs(self._config):
            if loop.time() >= until:
                await self._become()
                break
            await asyncio.sleep(PAUSE)
        holder = self._holder()
        if holder is None or holder.url is None:
            raise DaemonAway("the daemon has just gone")
        self._met = holder
        if not self._alone:
            self._tell(f"joined the daemon (picklebot {holder.role}, pid {holder.pid})")
        return holder

    async def _become(self) -> None:
        """Begin a daemon here; where another one was quicker, it will do."""
        ready: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._group.create_task(self._live(ready), name="daemon")
        try:
            pid = await ready
        except AlreadyRunning:
            if await runs(self._config):
                return
            raise
        self._alone = True
        self._tell(f"no daemon runs in {self._config.workspace.root}, so this process (pid {pid}) is one meanwhile")

    async def _live(self, ready: asyncio.Future[int]) -> None:
        try:
            # In a thread: all of a daemon is loaded with it.
            running = await asyncio.to_thread(load, OWN, config=self._config, stop=self._stop, ready=ready)
            await cast("Coroutine[Any, Any, None]", running)
        except PicklebotError as exc:
            if ready.done():
                raise
            ready.set_exception(exc)
