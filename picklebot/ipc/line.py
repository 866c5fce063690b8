"""One conversation with an external program: its folder, its run of the program, and what went through.

Promises that a program runs in the folder once at most, that each message is handed to one run once, and that what an
agent said stays in its file until it is said to be kept elsewhere. Knows no turn and no store.
"""

import asyncio
import itertools
import logging
from collections.abc import Callable, Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, ParamSpec, Protocol, TypeVar

from picklebot.clock import Clock
from picklebot.errors import TurnError
from picklebot.ipc.folder import Crowded, Folder
from picklebot.ipc.letters import Letter, Note, Unreadable
from picklebot.ipc.program import Program

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=10)  #: that a program has to exit once it is asked to
MOST_SECONDS = 60.0  #: until a program that has failed again and again is started for the next message
AT_ONCE = 100  #: letters that are read at once
_numbers = itertools.count()
P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How to start a program."""

    command: Sequence[str]
    environment: Mapping[str, str]


class Spawn(Protocol):
    """Starts a task that ends with the daemon at the latest."""

    def __call__(self, work: Coroutine[Any, Any, None], *, name: str) -> "asyncio.Task[None]":
        """Return the task."""
        ...


class Line:
    """One conversation. `bell` is set whenever there may be news of it."""

    def __init__(
        self,
        folder: Folder,
        *,
        agent_id: str,
        session_id: str,
        clock: Clock,
        spawn: Spawn,
        listen: Callable[[], None],
    ) -> None:
        """`listen` has the folder listened to, which is there by then."""
        self.agent_id = agent_id
        self.session_id = session_id
        self.bell = asyncio.Event()
        self.held = False
        """Whether a turn is in hand, which takes what comes."""
        self.used = clock.now()
        self.says_when = False
        """Whether the program has ever said of a message if it is the last one."""
        self._folder = folder
        self._clock = clock
        self._spawn = spawn
        self._listen = listen
        self._program: Program | None = None
        self._handed: dict[str, str] = {}
        self._kept: set[str] = set()
        self._void = False
        self._closing = False
        self._failures = 0

    @property
    def folder(self) -> Folder:
        """Where it takes place."""
        return self._folder

    @property
    def running(self) -> bool:
        """Whether there is a program."""
        return self._program is not None and not self._program.ended.is_set()

    @property
    def over(self) -> str | None:
        """Return why its program is gone, "" where it went by itself; None while it is there, or never was."""
        return self._program.why if self._program is not None and self._program.ended.is_set() else None

    @property
    def closing(self) -> bool:
        """Whether its program was asked to exit, and has not yet."""
        return self._closing and self.running

    @property
    def done(self) -> bool:
        """Whether nothing of it need be remembered."""
        return not (self.held or self.running or self._kept or self._void or self._failures)

    def knows(self, event_id: str) -> bool:
        """Return whether the program was handed this message."""
        return event_id in self._handed

    async def begin(self, start: Start) -> None:
        """Have a program, a new one if there is none; after it has failed not at once.

        Raises:
            TurnError: it cannot be started.
        """
        if self.running and not self._void and not self._closing:
            return
        await self._leave_nothing()
        if self._failures:
            await self._clock.sleep(min(2.0 ** (self._failures - 1), MOST_SECONDS))
        self._closing = False
        self._handed.clear()
        self.says_when = False
        try:
            await asyncio.to_thread(self._folder.prepare)
            self._program = program = await Program.start(
                start.command, start.environment, folder=self._folder.root, name=self.agent_id
            )
        except OSError as exc:
            raise TurnError(f"its program could not be started: {exc}") from exc
        self._listen()
        logger.info("started the program of %s", self.agent_id, extra={"session": self.session_id, "pid": program.pid})

        def ended() -> None:
            if program.why and not (self._void or self._closing):
                self._failures += 1
            self.bell.set()

        self._spawn(program.watch(ended), name=f"program of {self.agent_id} in {self.session_id}")

    def worked(self) -> None:
        """The program does what it is there for: if it fails from now on, that is the first time."""
        self._failures = 0

    async def hand(self, note: Note) -> None:
        """Give the program a message, unless it has it already.

        Raises:
            TurnError: it cannot be written.
        """
        if note.event_id in self._handed:
            return
        name = f"{int(self._clock.now().timestamp() * 1_000_000) * 1_000}-{next(_numbers)}.json"
        await self._in_folder(self._folder.write, note, name)
        self._handed[note.event_id] = name

    async def letters(self) -> list[Letter]:
        """Return what the agent has said and nobody has taken, oldest first; what is no letter is put aside.

        Raises:
            TurnError: it said more than may wait, or its folder is not as it was made.
        """
        if self._void:
            await self._leave_nothing()
        return await self._in_folder(self._read)

    async def discard(self, letter: Letter) -> None:
        """Take a letter away: it is kept elsewhere."""
        await self._in_folder(self._folder.discard, [letter.name])

    async def reject(self, letter: Letter, why: str) -> None:
        """Put a letter aside that cannot be delivered."""
        await self._in_folder(self._folder.reject, letter.name, why)

    def keep(self, letter: Letter) -> None:
        """Leave a letter where it is until `settle`: only the end of the turn keeps it elsewhere."""
        self._kept.add(letter.name)

    async def settle(self) -> None:
        """Take away what the end of a turn has kept elsewhere."""
        if kept := sorted(self._kept):
            await self._in_folder(self._folder.discard, kept)
            self._kept.difference_update(kept)  # not before: else somebody finds them in between

    async def unread(self, event_ids: Collection[str]) -> set[str]:
        """Return which of the messages the agent has not taken away."""
        found = await self._in_folder(self._folder.unread)
        return found & {*event_ids}

    async def done_with(self, event_ids: Collection[str]) -> None:
        """These messages are answered: take them away where the agent has not."""
        names = [name for event_id in event_ids if (name := self._handed.pop(event_id, None))]
        await self._in_folder(self._folder.take_back, names)

    def drop(self) -> None:
        """End the program now; what it has said meanwhile and nobody has taken is void."""
        self._void = True
        if self._program is not None:
            self._program.dismiss()

    async def close(self) -> None:
        """Ask the program to finish up and exit, and end it if it does not."""
        program = self._program
        if program is None or program.ended.is_set():
            return
        self._closing = True
        try:
            await asyncio.to_thread(self._folder.close)
            left = await self._clock.wait(program.ended, until=self._clock.now() + PATIENCE)
        except (OSError, Crowded) as exc:
            logger.warning("the program of %s cannot be asked to exit: %s", self.agent_id, exc)
            left = False
        if not left:
            logger.info("the program of %s did not exit when asked, and is ended", self.agent_id)
            program.dismiss()
            await program.ended.wait()

    def idle_since(self) -> datetime | None:
        """Return since when nobody uses the program; None where somebody does, or there is none."""
        return self.used if self.running and not self.held else None

    def _read(self) -> list[Letter]:
        found: list[Letter] = []
        kept = {*self._kept}  # before looking: what is listed and gone a moment later was in it
        for name in self._folder.waiting():
            if name in kept:
                continue
            try:
                found.append(self._folder.read(name))
            except Unreadable as exc:
                logger.warning("%s wrote %s, which goes to ipc/bad: %s", self.agent_id, name, exc)
                self._folder.reject(name, str(exc))
            if len(found) == AT_ONCE:
                break
        return found

    async def _leave_nothing(self) -> None:
        """Wait for a program that was told to end; what it said after that is void."""
        if self._program is not None:
            await self._program.ended.wait()
        if self._void:
            await self._in_folder(partial(self._folder.prepare, void=True))
            self._void = False

    async def _in_folder(self, work: Callable[P, T], *given: P.args, **named: P.kwargs) -> T:
        try:
            return await asyncio.to_thread(work, *given, **named)
        except (OSError, Crowded) as exc:
            raise TurnError(str(exc)) from exc
