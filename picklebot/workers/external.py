"""Looks after external agents beside their turns: what a crash left in their folders, what they say unasked, their end.

Promises that what a turn has kept is not delivered again, and that what was said while no turn was in hand is delivered
once, to the place of its conversation. Knows no process and no file.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from picklebot.core.bus import EventBus, Subscription
from picklebot.core.events import Event, InboundEvent, TurnFinished
from picklebot.errors import TurnError
from picklebot.ipc.letters import Letter

logger = logging.getLogger(__name__)

RINGS = 4096  #: messages and ends of turns between two looks
MOST_UNASKED = 20  #: messages of one conversation between two turns


class Told(Protocol):
    """Knows what is kept."""

    async def told(self, session_id: str, name: str) -> bool:
        """Return whether what stands in a file of this name is kept."""
        ...

    async def open(self, session_id: str) -> bool:
        """Return whether a session has a message whose turn has not ended."""
        ...


class Line(Protocol):
    """One conversation."""

    @property
    def agent_id(self) -> str:
        """Whose it is."""
        ...

    @property
    def session_id(self) -> str:
        """Which it is."""
        ...

    async def letters(self) -> Sequence[Letter]:
        """Return what was said and nobody has taken."""
        ...

    async def discard(self, letter: Letter) -> None:
        """Take a letter away: it is kept elsewhere."""
        ...

    async def reject(self, letter: Letter, why: str) -> None:
        """Put a letter aside that cannot be delivered."""
        ...

    def drop(self) -> None:
        """End the program now."""
        ...


class Lines(Protocol):
    """All conversations with external programs."""

    @property
    def opened(self) -> asyncio.Event:
        """Set once there was any."""
        ...

    def open(self, agent_id: str, session_id: str) -> Line:
        """Return the conversation of a session."""
        ...

    def ring(self, session_id: str) -> None:
        """There may be news of a session."""
        ...

    def left(self) -> Sequence[tuple[str, str, Sequence[str]]]:
        """Return (agent, session, files) of every folder in which something lies that an agent has said. Blocks."""
        ...

    def discard(self, agent_id: str, session_id: str, names: Sequence[str]) -> None:
        """Take away what is kept elsewhere. Blocks."""
        ...

    async def settle(self, session_id: str) -> None:
        """The turn of a session has ended, and what ended it is kept."""
        ...

    async def run(self, stop: asyncio.Event, stray: Callable[["Line"], Awaitable[None]]) -> None:
        """Look after programs until `stop` is set, then have all of them exit."""
        ...


class Speak(Protocol):
    """Delivers what was said while no turn was in hand."""

    async def __call__(self, letter: Letter, session_id: str) -> None:
        """Put it on its way. ValueError: it may not go there."""
        ...


class ExternalWorker:
    """Runs the conversations with external programs."""

    name = "external"

    def __init__(self, *, bus: EventBus, lines: Lines, told: Told, speak: Speak) -> None:
        self._bus = bus
        self._lines = lines
        self._told = told
        self._speak = speak
        self._stop = asyncio.Event()
        self._events: Subscription[Event] | None = None
        self._unasked: dict[str, int] = {}

    async def run(self, ready: Callable[[], None]) -> None:
        """Clear up after the last life of the daemon; then run until stopped, and have every program exit."""
        left = await self._clear_up()
        async with asyncio.TaskGroup() as group:
            hearing = group.create_task(self._hear(), name="external: turns")
            group.create_task(self._lines.run(self._stop, self._stray), name="external: programs")
            ready()
            for agent_id, session_id in left:
                await self._stray(self._lines.open(agent_id, session_id))
            await self._stop.wait()
            if self._events is None:
                hearing.cancel()
            else:
                self._events.close()  # it reads what is left, so that nothing kept lies there at the next start

    def stop(self) -> None:
        """Have every program exit."""
        self._stop.set()

    async def _clear_up(self) -> list[tuple[str, str]]:
        """Take away what is kept; return where something is left."""
        left: list[tuple[str, str]] = []
        for agent_id, session_id, names in await asyncio.to_thread(self._lines.left):
            kept = [name for name in names if await self._told.told(session_id, name)]
            await asyncio.to_thread(self._lines.discard, agent_id, session_id, kept)
            if len(kept) < len(names):
                left.append((agent_id, session_id))
        return left

    async def _hear(self) -> None:
        """Wake turns for what was said meanwhile, and take away what an ended turn has kept."""
        await self._lines.opened.wait()
        kinds: tuple[type[Event], ...] = (InboundEvent, TurnFinished)
        self._events = self._bus.subscribe(*kinds, maxsize=RINGS)
        async for event in self._events:
            if isinstance(event, TurnFinished):
                self._unasked.pop(event.session_id, None)
                await self._lines.settle(event.session_id)
            self._lines.ring(event.session_id)

    async def _stray(self, line: Line) -> None:
        """Deliver what was said while no turn was in hand; where one is about to be, it is that turn's."""
        session_id = line.session_id
        try:
            letters = await line.letters()
            if not letters or await self._told.open(session_id):
                return
            for letter in letters:
                await self._deliver(line, letter)
        except TurnError as exc:
            logger.warning("external agent %s is ended: %s", line.agent_id, exc, extra={"session": session_id})
            line.drop()

    async def _deliver(self, line: Line, letter: Letter) -> None:
        count = self._unasked[line.session_id] = self._unasked.get(line.session_id, 0) + 1
        try:
            if count > MOST_UNASKED:
                raise ValueError(f"it said more than {MOST_UNASKED} messages unasked")  # noqa: TRY301  # as speak would
            if letter.content.strip():
                await self._speak(letter, line.session_id)
        except ValueError as exc:
            logger.warning("external agent %s: %s goes to ipc/bad: %s", line.agent_id, letter.name, exc)
            await line.reject(letter, str(exc))
        else:
            await line.discard(letter)
