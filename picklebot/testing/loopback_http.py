"""Just enough of an HTTP/1.1 server to answer badly on purpose.

Promises keep-alive, pipelining, and an ordinary answer in one write. Knows no path and no JSON: a responder turns
each request into a plan. Not for anything but loopback.
"""

import asyncio
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from picklebot.testing.faults import Chunk, End, Plan, response_head

MAX_REQUEST = 64_000_000  #: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class HTTPRequest:
    """A whole request; header names are in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    content: bytes


class Connection(asyncio.Protocol):
    """One client. Reads requests, plays plans; a timer is all that ever waits, so there is no task to leak."""

    def __init__(self, respond: Callable[[HTTPRequest], Plan], ended: Callable[["Connection", bool], None]) -> None:
        self._respond = respond
        self._ended = ended
        self._buffer = bytearray()
        self._transport: asyncio.Transport | None = None
        self._steps: Iterator[bytes | Chunk | float | End] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what has come, and answer what is complete."""
        self._buffer += data
        self._answer()

    def connection_lost(self, exc: Exception | None) -> None:
        """End; an answer that was still being given was cut off by the client."""
        if self._timer:
            self._timer.cancel()
        self._transport = None
        self._ended(self, self._steps is not None)

    def abort(self) -> None:
        """Drop the connection."""
        self._steps = None
        if self._transport:
            self._transport.abort()

    def _answer(self) -> None:
        while self._steps is None and self._transport:
            request = self._take()
            if request is None:
                return
            self._steps = iter(self._respond(request))
            self._play()

    def _take(self) -> HTTPRequest | None:
        if self._buffer and not self._buffer[:1].isalpha():  # the greeting of a TLS client, say
            self._refuse(400)
            return None
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        first, *lines = self._buffer[:end].decode("latin-1").split("\r\n")
        headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = headers.get("content-length", "0")
        method, path, *_ = (*first.split(" "), "")
        if "transfer-encoding" in headers or not length.isdecimal() or int(length) > MAX_REQUEST:
            self._refuse(411 if "transfer-encoding" in headers else 413)
            return None
        total = end + 4 + int(length)
        if len(self._buffer) < total:
            return None
        content = bytes(self._buffer[end + 4 : total])
        del self._buffer[:total]
        return HTTPRequest(method=method, path=path, headers=headers, content=content)

    def _refuse(self, code: int) -> None:
        assert self._transport
        self._buffer.clear()
        self._transport.write(response_head(code, {"content-length": "0", "connection": "close"}))
        self._transport.close()

    def _play(self) -> None:
        assert self._steps is not None
        for step in self._steps:
            if self._transport is None:
                return
            match step:
                case bytes():
                    self._transport.write(step)
                case Chunk(content=content):
                    self._transport.write(b"%x\r\n%s\r\n" % (len(content), content))
                case End():
                    self._end(step)
                    return
                case _:
                    self._timer = asyncio.get_running_loop().call_later(step, self._resume)
                    return
        self._steps = None

    def _resume(self) -> None:
        self._play()
        self._answer()

    def _end(self, end: End) -> None:
        if end is End.HANG:
            return
        assert self._transport
        self._steps = None
        if end is End.RESET:
            linger = struct.pack("ii", 1, 0)
            self._transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            self._transport.abort()
        else:
            self._transport.close()
