"""The tool processes of all sessions: one each, started when first needed, closed when idle.

Promises at most `max_hosts` processes beside those that are leaving, the one idle longest making way for a new
session, and a fresh process for the call after one that died. Knows no tool: what is asked, and what it means, is the
process's business.
"""

import asyncio
from collections.abc import Coroutine, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from picklebot.clock import Clock
from picklebot.core.rights import Sandbox
from picklebot.errors import ToolError
from picklebot.tools.host import GRACE, HostProcess
from picklebot.tools.launcher import PLAIN, Launcher

WAIT = timedelta(seconds=30)  #: how long a call waits for a place


@dataclass(slots=True, eq=False)
class _Seat:
    """A session's place. `users` are calls that run, or are about to; `lock` is held to change the process."""

    users: int = 0
    process: HostProcess | None = None
    made_for: tuple[Sandbox, Hashable] | None = None
    idle: asyncio.Task[None] | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class ToolHosts:
    """Runs tools in their sessions' processes. Close it, or use it as a context manager."""

    def __init__(
        self, root: Path, *, launcher: Launcher = PLAIN, clock: Clock, idle_seconds: float = 60.0, max_hosts: int = 16
    ) -> None:
        self._root = root
        self._launcher = launcher
        self._clock = clock
        self._idle_seconds = idle_seconds
        self._max_hosts = max_hosts
        self._seats: dict[str, _Seat] = {}  # the one used longest ago stands first
        self._tasks: set[asyncio.Task[None]] = set()
        self._freed = asyncio.Event()
        self._closed = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.aclose()

    async def call(
        self,
        session: str,
        tool: str,
        given: Mapping[str, Any],
        *,
        seconds: float,
        grace: float = GRACE,
        sandbox: Sandbox = "workspace",
    ) -> str:
        """Run `tool` in the session's process, in at most `seconds`, once there is a place for it.

        Cancelled, it returns once the call is stopped in the process too.

        Raises:
            ToolError: in the tool's words, or because there is no place, or no process any more.
        """
        seat = await self._take(session)
        try:
            process = await self._process(seat, sandbox)
            return await process.call(tool, given, seconds=seconds, grace=grace)
        finally:
            self._give_back(session, seat)

    async def aclose(self) -> None:
        """End every process; calls that still run fail."""
        self._closed = True
        self._freed.set()
        for session, seat in list(self._seats.items()):
            async with seat.lock:  # a process that is just starting would be nobody's
                if session in self._seats:  # else its idle time was up meanwhile
                    self._retire(session)
        while self._tasks:
            await asyncio.wait(self._tasks)

    async def _take(self, session: str) -> _Seat:
        """Return the session's seat, or a free one, marked as used."""
        until = self._clock.now() + WAIT
        while not (self._closed or session in self._seats or self._make_room()):
            self._freed.clear()
            if not await self._clock.wait(self._freed, until=until):
                raise ToolError(f"all {self._max_hosts} tool processes are busy; try again in a moment")
        self._check_open()
        seat = self._seats.pop(session, None) or _Seat()
        self._seats[session] = seat  # at the end: it is in use now
        seat.users += 1
        if seat.idle is not None:
            seat.idle.cancel()
            seat.idle = None
        return seat

    def _make_room(self) -> bool:
        """Return whether there is room for a new session, closing the process idle longest if need be."""
        if len(self._seats) < self._max_hosts:
            return True
        oldest = next((session for session, seat in self._seats.items() if not seat.users), None)
        if oldest is not None:
            self._retire(oldest)
        return oldest is not None

    async def _process(self, seat: _Seat, sandbox: Sandbox) -> HostProcess:
        """Return the seat's process; a new one if there is none, it has ended, or it no longer sees what it should."""
        async with seat.lock:
            made_for = (sandbox, self._launcher.stamp(self._root))
            stale = seat.made_for != made_for and seat.users == 1  # else others still use it
            if seat.process is None or seat.process.ended or stale:
                if seat.process is not None:
                    self._see_off(seat.process)
                self._check_open()
                command = await asyncio.to_thread(self._launcher.command, self._root, sandbox)
                environment = self._launcher.environment(sandbox)
                seat.process = await HostProcess.start(command, environment, root=self._root)
                seat.made_for = (sandbox, self._launcher.stamp(self._root))
            return seat.process

    def _check_open(self) -> None:
        if self._closed:
            raise ToolError("picklebot is stopping")

    def _give_back(self, session: str, seat: _Seat) -> None:
        seat.users -= 1
        if seat.users or self._seats.get(session) is not seat:
            return
        self._seats[session] = self._seats.pop(session)
        seat.idle = self._own(self._close_when_idle(session), name=f"idle tool process of {session}")
        self._freed.set()

    async def _close_when_idle(self, session: str) -> None:
        await self._clock.sleep(self._idle_seconds)
        self._retire(session)
        self._freed.set()

    def _retire(self, session: str) -> None:
        """Take the session's seat away, and close its process in a task of our own."""
        seat = self._seats.pop(session)
        if seat.idle is not None and seat.idle is not asyncio.current_task():
            seat.idle.cancel()
        if seat.process is not None:
            self._see_off(seat.process)

    def _see_off(self, process: HostProcess) -> None:
        self._own(process.close(), name=f"closing tool process {process.pid}")

    def _own(self, work: Coroutine[Any, Any, None], *, name: str) -> "asyncio.Task[None]":
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
