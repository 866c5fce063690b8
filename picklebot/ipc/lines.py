"""All conversations with external programs.

Promises at most so many idle programs, each asked to leave after a while, and all of them gone when `run` returns. Knows
no turn and no store: what is said while no turn is in hand goes to whoever was named for it.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Collection, Coroutine, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from picklebot.clock import Clock
from picklebot.errors import TurnError
from picklebot.ipc.folder import Crowded, Folder
from picklebot.ipc.line import Line
from picklebot.listening import Ear

logger = logging.getLogger(__name__)

IDLE = timedelta(minutes=10)  #: after which a program that nobody talks to is asked to exit
MOST_IDLE = 8  #: programs; past them the one idle longest is asked
LOOK = timedelta(seconds=30)  #: between two looks at what idle programs have said, if nothing is heard


class Lines:
    """The open conversations, by session."""

    def __init__(self, top: Path, *, clock: Clock) -> None:
        self._top = top
        self._clock = clock
        self._lines: dict[str, Line] = {}
        self._group: asyncio.TaskGroup | None = None
        self._ear: Ear | None = None
        self._news = asyncio.Event()
        self.opened = asyncio.Event()
        """Set once there was any conversation."""

    def open(self, agent_id: str, session_id: str) -> Line:
        """Return the conversation of a session."""
        line = self._lines.get(session_id)
        if line is None:
            folder = Folder(self._top / agent_id / session_id)
            line = Line(
                folder,
                agent_id=agent_id,
                session_id=session_id,
                clock=self._clock,
                spawn=self._spawn,
                listen=self._listen,
            )
            self._lines[session_id] = line
            self.opened.set()
        return line

    def ring(self, session_id: str) -> None:
        """There may be news of a session."""
        if line := self._lines.get(session_id):
            line.bell.set()
            self._news.set()

    def left(self) -> list[tuple[str, str, list[str]]]:
        """Return (agent, session, files) of every folder in which something lies that an agent has said. Blocks."""
        if not self._top.is_dir():
            return []
        agents = [path for path in self._top.iterdir() if path.is_dir() and not path.name.startswith(".")]
        found = [
            (agent.name, each.name, _waiting(each)) for agent in sorted(agents) for each in sorted(agent.iterdir())
        ]
        return [(agent, session, names) for agent, session, names in found if names]

    def discard(self, agent_id: str, session_id: str, names: Sequence[str]) -> None:
        """Take away what is kept elsewhere. Blocks."""
        with contextlib.suppress(Crowded, OSError):  # then it is looked at again at the next start
            Folder(self._top / agent_id / session_id).discard(names)

    async def settle(self, session_id: str) -> None:
        """The turn of a session has ended, and what ended it is kept."""
        if line := self._lines.get(session_id):
            try:
                await line.settle()
            except TurnError as exc:
                logger.warning("external agent %s: what was kept cannot be taken away: %s", line.agent_id, exc)

    async def run(self, stop: asyncio.Event, stray: Callable[[Line], Awaitable[None]]) -> None:
        """Look after idle programs until `stop` is set, then have all of them exit.

        `stray` is given each conversation in which something may have been said while no turn was in hand.
        """
        try:
            async with asyncio.TaskGroup() as group:
                self._group = group
                tending = group.create_task(self._tend(stray), name="idle external agents")
                await stop.wait()
                tending.cancel()
                await asyncio.gather(*(line.close() for line in self._lines.values()))
        finally:
            self._group = None
            if self._ear is not None:
                await self._ear.close()

    async def _tend(self, stray: Callable[[Line], Awaitable[None]]) -> None:
        await self.opened.wait()
        while True:
            self._news.clear()  # before looking: a ring while we look means look again
            for line in [line for line in self._lines.values() if not line.held]:
                await stray(line)
            self._dismiss()
            await self._clock.wait(self._news, until=self._clock.now() + LOOK)

    def _dismiss(self) -> None:
        """Ask the programs to exit that were idle too long, and forget conversations without one."""
        now = self._clock.now()
        idle = sorted((since, session) for session, line in self._lines.items() if (since := line.idle_since()))
        for place, (since, session) in enumerate(idle):
            if now - since >= IDLE or place < len(idle) - MOST_IDLE:
                line = self._lines[session]
                if not line.closing:
                    self._spawn(line.close(), name=f"closing the program of {line.agent_id} in {session}")
        for session in [session for session, line in self._lines.items() if line.done]:
            del self._lines[session]

    def _spawn(self, work: Coroutine[Any, Any, None], *, name: str) -> "asyncio.Task[None]":
        assert self._group is not None, "programs run while the lines do"
        return self._group.create_task(work, name=name)

    def _listen(self) -> None:
        if self._ear is None:
            self._ear = Ear("the folders of external agents", folders=self._folders, heard=self._heard)
            self._ear.start()
        else:
            self._ear.again()

    def _folders(self) -> Collection[Path]:
        return {line.folder.messages for line in [*self._lines.values()] if line.folder.messages.is_dir()}

    def _heard(self, changed: Collection[Path] | None) -> bool:
        if changed is None or changed:
            sessions = None if changed is None else {path.parents[2].name for path in changed}
            assert self._ear is not None
            self._ear.tell(lambda: self._ring_all(sessions))
        return True

    def _ring_all(self, sessions: Collection[str] | None) -> None:
        for session in [*self._lines] if sessions is None else sessions:
            self.ring(session)


def _waiting(root: Path) -> list[str]:
    try:
        return Folder(root).waiting()
    except Crowded:
        return []
