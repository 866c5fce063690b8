"""The daemon that a terminal talks to, be it in this process or joined: the one seam below the screen.

Knows no screen and no wire.
"""

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from picklebot.channels.base import Accepted
from picklebot.channels.terminal import Tray
from picklebot.core.bus import Subscription
from picklebot.core.events import Event, OutboundEvent, TextDelta, ToolFinished, ToolStarted, TurnFinished
from picklebot.core.talk import Bill, Delay, Place, Wish, Words

HEARD: tuple[type[Event], ...] = (OutboundEvent, TextDelta, ToolStarted, ToolFinished, TurnFinished)
INBOX = 1024  #: events between the daemon and the screen


class Daemon(Protocol):
    """Who answers, and for how long."""

    @property
    def tray(self) -> Tray:
        """Replies for this terminal; whoever has shown one says so there."""
        ...

    @property
    def notices(self) -> Sequence[str]:
        """What a person should read first."""
        ...

    def tell_with(self, tell: Callable[[str], None]) -> None:
        """Let the person read through `tell`, at once, what becomes of the daemon itself."""
        ...

    async def enter(self, wish: Wish) -> Place:
        """Go where `wish` says; return where that is.

        Raises:
            NotFound: there is no such agent or session, or the session is another agent's.
        """
        ...

    async def place(self) -> Place:
        """Return where a message would go now."""
        ...

    async def find(self, session_id: str) -> str:
        """Return the whole id of a session, of which a beginning will do.

        Raises:
            NotFound: no session, or more than one, begins so.
        """
        ...

    async def words(self) -> Words:
        """Return what can be typed."""
        ...

    def hear(self) -> AbstractContextManager[Subscription[Event]]:
        """Hear what happens from now on, as long as the block lasts: events of `HEARD`."""
        ...

    async def say(self, content: str, *, agent: str | None, session: str | None) -> Accepted:
        """Say something; return once it is on disk.

        Raises:
            PicklebotError: the error for which it was refused.
        """
        ...

    def stop_turn(self, session_id: str) -> bool:
        """Stop what runs in a session; return whether something may have."""
        ...

    async def delay(self, session_id: str) -> Delay | None:
        """Return until when a session waits, if it does."""
        ...

    async def bill(self, event_id: str, session_id: str) -> Bill:
        """Return what the turn of a message has used."""
        ...

    async def run(self, stop: asyncio.Event) -> None:
        """Be there until `stop` is set.

        Raises:
            PicklebotError: it cannot be there any longer.
            ExceptionGroup: a worker failed.
        """
        ...

    async def settle(self) -> None:
        """Let what was shown be known as delivered. Called last, after `run` has ended."""
        ...
