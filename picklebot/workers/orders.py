"""Slash commands from the door to their answer.

Promises that a command takes effect at most once, however often and however quickly it is offered, that one which a
crash cut short is told of instead of run again, and that one which names a session is about that session. Knows no
platform and no command.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol
from weakref import WeakValueDictionary

from picklebot.channels.base import Accepted
from picklebot.core.bus import EventBus
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.errors import PicklebotError, StoreFull
from picklebot.store.base import Arrival, Inbox, Session
from picklebot.workers.commands import Commands

logger = logging.getLogger(__name__)

CUT_SHORT = "it was cut short, and whether it took effect is not known"
SHOWN = 60  #: characters of a command that are said back


class Claims(Protocol):
    """Remembers which commands were begun."""

    async def claim(self, arrival: Arrival) -> bool:
        """Write down that a command begins, before it has any effect; return False where it was begun before."""
        ...

    async def unanswered(self) -> Sequence[Arrival]:
        """Return the commands that were begun and never answered, oldest first."""
        ...


class Whereabouts(Protocol):
    """Knows in which session each source is."""

    async def switch(self, source: Source, session_id: str) -> Session:
        """Make a session the source's current one.

        Raises:
            NotFound: there is no such session.
        """
        ...


class Orders:
    """Obeys slash commands."""

    def __init__(
        self, *, bus: EventBus, inbox: Inbox, claims: Claims, sessions: Whereabouts, commands: Commands
    ) -> None:
        self._bus = bus
        self._inbox = inbox
        self._claims = claims
        self._sessions = sessions
        self._commands = commands
        # A lock lives exactly as long as somebody holds or awaits it.
        self._running: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def menu(self) -> list[tuple[str, str]]:
        """Return what can be typed: (name, what it does)."""
        return [(command.name, command.summary) for command in self._commands.known]

    def parse(self, content: str) -> tuple[str, str] | None:
        """Return (name, argument) if `content` is a command, known or not; None if it is a message."""
        return self._commands.parse(content)

    async def obey(self, arrival: Arrival, command: tuple[str, str]) -> Accepted:
        """Run a command and answer it. It waits for no turn, so that /stop can stop one."""
        lock = self._running.setdefault((arrival.source.channel, arrival.key), asyncio.Lock())
        async with lock:  # a second copy waits, and finds the answer of the first
            if (again := await self._seen(arrival)) is not None:
                return again
            if arrival.session_id is not None:  # before the claim: one that is not there is no effect cut short
                session = await self._sessions.switch(arrival.source, arrival.session_id)
                arrival = replace(arrival, session_id=session.id)
            if not await self._claims.claim(arrival):
                return await self._tell(arrival)
            try:
                reply = await self._commands.run(arrival.source, command)
            except PicklebotError as exc:
                reply = str(exc)
            return await self._answer(arrival, reply, None)

    async def tell_what_was_cut_short(self) -> None:
        """Answer what a crash left unanswered."""
        for arrival in await self._claims.unanswered():
            try:
                await self._tell(arrival)
            except StoreFull as exc:
                logger.warning("an interrupted command is told of at the next start: %s", exc)
                return

    async def _tell(self, arrival: Arrival) -> Accepted:
        words = f"I did not finish `{shorten(arrival.content, SHOWN)}`: {CUT_SHORT}. Send it again if it did not."
        return await self._answer(arrival, words, CUT_SHORT)

    async def _answer(self, arrival: Arrival, reply: str, error: str | None) -> Accepted:
        event = await self._inbox.answer(arrival, reply, error=error)
        if event is None and (again := await self._seen(arrival)) is not None:
            return again  # a message that is no command came under the same key, and was quicker
        assert event is not None
        await self._bus.publish(event)
        return Accepted(event_id=event.cause_id or event.id, session_id=event.session_id)

    async def _seen(self, arrival: Arrival) -> Accepted | None:
        seen = await self._inbox.seen(arrival.source.channel, arrival.key)
        return Accepted(event_id=seen.id, session_id=seen.session_id, duplicate=True) if seen else None
