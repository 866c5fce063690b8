"""What a turn does meanwhile, as notices in few words, and that it is parked.

Promises nothing of them arrives: who waits for the reply does so elsewhere. Knows the gateway's WebSocket.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from picklebot.core.text import shorten

OPEN_SECONDS = 5.0
EARLY = 200  #: events that are kept until it is known which are looked for
EVERY = 1_000  #: characters of a reply between two notices

Notify: TypeAlias = Callable[[str], Awaitable[None]]


class Watch:
    """Hears what happens, and follows one message once it is told which. `parked`: what was said when its turn was."""

    def __init__(self, notify: Notify) -> None:
        self._event_id = ""
        self._early: deque[Mapping[str, Any]] = deque(maxlen=EARLY)
        self.parked: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._notify = notify
        self._said = ""
        self._written = self._told = 0

    async def follow(self, event_id: str) -> None:
        """Follow this message, from its beginning: it can have been quicker than the word that it is on disk."""
        self._event_id = event_id
        while self._early:
            await self.take(self._early.popleft())

    async def take(self, event: Mapping[str, Any]) -> None:
        """Take an event; those of other messages are not looked at."""
        if not self._event_id:
            self._early.append(event)
        if event.get("cause_id") != self._event_id:
            return
        match event.get("type"):
            case "TurnStarted":
                await self._notify(f"{event.get('agent_id') or 'the agent'} is at work")
            case "ToolStarted":
                await self._notify(f"uses {shorten(str(event.get('tool')), 80)}")
            case "TextDelta":
                self._written += len(str(event.get("text", "")))
                if self._written >= self._told + EVERY or not self._told:
                    self._told = self._written
                    await self._notify(f"writes, {self._written:,} characters so far")
            case "OutboundEvent":
                self._said = str(event.get("content", ""))
            case "TurnFinished" if event.get("outcome") == "parked" and not self.parked.done():
                self.parked.set_result(self._said or str(event.get("error") or "the turn waits"))
            case _:
                pass


@asynccontextmanager
async def watching(url: str, token: str, watch: Watch) -> AsyncGenerator[None, None]:
    """Let `watch` follow what happens, from now on and for as long as the block lasts, or the connection does."""
    try:
        connection = await _subscribed(url, token)
    except (OSError, InvalidHandshake, WebSocketException, TimeoutError):
        yield
        return
    following = asyncio.create_task(_follow(connection, watch), name="progress")
    try:
        yield
    finally:
        following.cancel()
        await asyncio.wait({following})
        await connection.close()


async def _subscribed(url: str, token: str) -> ClientConnection:
    connection = await connect(
        url.replace("http", "ws", 1).rstrip("/") + "/ws",
        additional_headers={"Authorization": f"Bearer {token}"},
        compression=None,
        proxy=None,
        max_size=None,
        open_timeout=OPEN_SECONDS,
        close_timeout=1.0,
    )
    async with asyncio.timeout(OPEN_SECONDS):
        await connection.send('{"type":"subscribe"}')
        await connection.send('{"type":"ping"}')
        while json.loads(await connection.recv())["type"] != "pong":  # from here on nothing is missed
            pass
    return connection


async def _follow(connection: ClientConnection, watch: Watch) -> None:
    try:
        async for text in connection:
            frame = json.loads(text)
            if frame.get("type") == "event":
                await watch.take(frame["event"])
    except (OSError, WebSocketException):
        return
