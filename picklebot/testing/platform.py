"""The channel to a chat platform on loopback: JSON lines over TCP.

For tests of the daemon from outside: whoever listens on the port is the platform, in a process of its own. A daemon
reaches it with

    channels: {loopback: {enabled: true, use: picklebot.testing.platform, port: 12345}}

and the two say, a line each: {"type": "message", "from", "key", "content"}, answered by {"type": "accepted", "key",
"event_id"} or {"type": "refused", "key", "error"}; and {"type": "reply", "key", "to", "content"}, answered by {"type":
"receipt", "key", "receipt"}, or with "error" ("rejected" is final) and perhaps "retry_after" in its place.

Promises to say "accepted" only when it was told so, and to send with the key it was given. Knows no daemon.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from picklebot.channels.base import Accepted, Incoming
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, DeliveryRejected, PicklebotError

MAX_LINE = 4_000_000  #: bytes of one frame


def create(*, name: str = "loopback", port: int, keyed: bool = True) -> "LoopbackChannel":
    """Return the channel to the platform on `port`."""
    return LoopbackChannel(name, port, keyed=keyed)


class LoopbackChannel:
    """Receives and sends over one connection."""

    max_length: int | None = None
    hint = ""
    open_to_all = True  # whoever can reach the port is the test

    def __init__(self, name: str, port: int, *, keyed: bool) -> None:
        self.name = name
        self.keyed = keyed
        self._port = port
        self._writer: asyncio.StreamWriter | None = None
        self._waiting: dict[str, asyncio.Future[Mapping[str, Any]]] = {}

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Connect, and yield what the platform says."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port, limit=MAX_LINE)
        except OSError as exc:
            raise ChannelUnavailable(f"the platform on port {self._port} does not answer: {exc}") from exc
        self._writer = writer
        try:
            yield self._messages(reader)
        finally:
            self._writer = None
            for future in self._waiting.values():
                future.cancel()
            self._waiting.clear()
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Send a reply and wait for the platform's receipt."""
        if self._writer is None:
            raise ChannelUnavailable("the platform is not connected")
        answer: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[key] = answer
        try:
            self._tell({"type": "reply", "key": key, "to": list(to.parts), "content": content})
            receipt = await answer
        except asyncio.CancelledError:
            if answer.cancelled():
                raise ChannelUnavailable("the platform hung up") from None
            raise
        finally:
            self._waiting.pop(key, None)
        match receipt.get("error"):
            case None:
                return str(receipt["receipt"])
            case "rejected":
                raise DeliveryRejected("the platform refused it")
            case error:
                raise ChannelUnavailable(f"the platform said {error!r}", retry_after=receipt.get("retry_after"))

    async def _messages(self, reader: asyncio.StreamReader) -> AsyncGenerator[Incoming, None]:
        while line := await _read_line(reader):
            frame = json.loads(line)
            if frame["type"] == "receipt":
                if (future := self._waiting.get(frame["key"])) and not future.done():
                    future.set_result(frame)
                continue
            source = Source(self.name, tuple(frame["from"]))
            yield Incoming(
                source=source, content=frame["content"], key=frame["key"], settle=self._settler(frame["key"])
            )
        raise ChannelUnavailable("the platform hung up")

    def _settler(self, key: str) -> Callable[[Accepted | PicklebotError], None]:
        def settle(verdict: Accepted | PicklebotError) -> None:
            if isinstance(verdict, Accepted):
                self._tell({"type": "accepted", "key": key, "event_id": verdict.event_id})
            else:
                self._tell({"type": "refused", "key": key, "error": str(verdict)})

        return settle

    def _tell(self, frame: Mapping[str, Any]) -> None:
        if self._writer is not None:
            self._writer.write(json.dumps(frame).encode() + b"\n")


async def _read_line(reader: asyncio.StreamReader) -> bytes:
    try:
        return await reader.readline()
    except (ConnectionError, ValueError) as exc:
        raise ChannelUnavailable(f"the connection to the platform broke: {exc}") from exc
