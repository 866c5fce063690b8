"""The gateway as a channel: `http` and `ws`. What arrives goes the way of every channel, and replies stay in the log.

Promises that a message is put before the door once, and its sender told once what became of it. A reply counts as
delivered as soon as it is in the log, where its client finds it by `after`: a client that is gone fills no outbox.
Knows no socket, and loads nothing of the web.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

from picklebot.channels.base import Accepted, Incoming
from picklebot.channels.terminal import HINT as TERMINAL_HINT
from picklebot.channels.terminal import NAME as TERMINAL
from picklebot.core.source import Source
from picklebot.errors import PicklebotError

HTTP, WS = "http", "ws"
HOOK = "hook"  #: none of the owner's: what comes in here is nobody's word but its sender's
ROOM = 256  #: messages between a client and the door; whoever brings more waits
NOBODY = "default"  #: the client of a request that does not say who it is


class Entrance:
    """A `Channel` that is spoken through with `offer`."""

    keyed = True  # the log has each reply once
    max_length = None

    def __init__(self, name: str, *, hint: str = "") -> None:
        self.name = name
        self.hint = hint
        self._arrived: asyncio.Queue[Incoming] = asyncio.Queue(ROOM)

    def source(self, client: str) -> Source:
        """Return the source of one client."""
        return Source(self.name, (client,))

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Yield what is offered."""
        yield self._arrivals()

    async def _arrivals(self) -> AsyncIterator[Incoming]:
        while True:
            yield await self._arrived.get()

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Do nothing: the reply is in the log, where its client reads it."""
        return "in the log"

    async def offer(self, incoming: Incoming) -> None:
        """Put a message before the door, waiting while it is crowded there. `settle` hears what became of it."""
        await self._arrived.put(incoming)

    async def bring(self, incoming: Incoming) -> Accepted:
        """Offer a message, and wait until it is on disk.

        Raises:
            PicklebotError: it was refused.
        """
        settled: asyncio.Future[Accepted | PicklebotError] = asyncio.get_running_loop().create_future()

        def settle(verdict: Accepted | PicklebotError) -> None:
            if not settled.done():  # whoever asked may have hung up
                settled.set_result(verdict)

        await self.offer(replace(incoming, settle=settle))
        verdict = await settled
        if isinstance(verdict, PicklebotError):
            raise verdict
        return verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrances:
    """All ways in. Replies to `terminal` are delivered by the terminals that have joined, and by nobody else."""

    http: Entrance
    ws: Entrance
    hook: Entrance
    terminal: Entrance


def create_entrances() -> Entrances:
    """Return the channels of a gateway; they exist also where none listens, for what was asked before."""
    return Entrances(
        http=Entrance(HTTP), ws=Entrance(WS), hook=Entrance(HOOK), terminal=Entrance(TERMINAL, hint=TERMINAL_HINT)
    )


def key_of(client: str, key: str) -> str:
    """Return the dedupe key of one client's message: two clients cannot collide, because a client has no colon."""
    return f"{client}:{key}"
