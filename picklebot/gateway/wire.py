"""The connection itself: uvicorn's protocols, with what a gateway needs beside them.

Promises a bound on how long a connection may take to say what it wants, on how many there are, and on what waits to be
sent to a WebSocket: one that reads too slowly is dropped with 1013, and nobody ever waits for it. A frame that goes to
many is made once. Knows no message.
"""

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State

BACKLOG = 1 << 20  #: bytes that may wait for a WebSocket before it counts as too slow
LINGER = 30.0  #: seconds in which one that was dropped may still read why
TOO_SLOW, REVOKED, GOING = 1013, 1008, 1012  #: close codes (RFC 6455 and the registry it founded)
SOCKET = "picklebot.socket"  #: where an application finds its `GatewaySocket`, among the extensions of its scope


def frame(payload: bytes) -> bytes:
    """Return a text frame as a server sends it."""
    return Frame(Opcode.TEXT, payload).serialize(mask=False)


class GatewayHTTP(H11Protocol):
    """HTTP/1.1 with a deadline for heads and a limit to connections."""

    most = 100
    head_seconds = 10.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Take a connection, or say at once that there are too many."""
        self._deadline: asyncio.TimerHandle | None = None
        super().connection_made(transport)
        if len(self.connections) > self.most:
            transport.write(
                _plain(503, "Service Unavailable", "too_many", "too many connections", "Retry-After: 5\r\n")
            )
            transport.close()
        else:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget it."""
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on; a head that has begun has to end."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self.conn.their_state is h11.IDLE:
            self._await_head()
        else:
            self._stop_waiting()

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """Hand the connection over."""
        self._stop_waiting()
        super().handle_websocket_upgrade(event)

    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP, or has no Host or several (RFC 9112, section 3.2)."""
        self._stop_waiting()
        self.transport.write(_plain(400, "Bad Request", "bad_request", "this is no valid HTTP request"))
        self.transport.close()

    def _should_upgrade(self) -> bool:
        """Return whether this is the whole beginning of a WebSocket; half of one is answered as plain HTTP."""
        given = dict(self.headers)
        whole = given.get(b"sec-websocket-version") == b"13" and b"sec-websocket-key" in given
        return whole and self.scope["method"] == "GET" and super()._should_upgrade()

    def _unsupported_upgrade_warning(self) -> None:
        """Say nothing: it is answered as if the upgrade had not been asked for."""

    def _await_head(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.head_seconds, self._too_slow)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(_plain(408, "Request Timeout", "too_slow", "the head of the request took too long"))
            self.transport.close()


class GatewaySocket(WebSocketsSansIOProtocol):
    """A WebSocket that never makes its sender wait."""

    dropped: int | None = None  #: the code with which we closed it

    def handle_connect(self, event: Request) -> None:
        """Let the application find us."""
        super().handle_connect(event)
        if hasattr(self, "scope"):
            extensions: dict[str, Any] = self.scope.setdefault("extensions", {})
            extensions[SOCKET] = self

    def shutdown(self) -> None:
        """Close it. One that its client is closing at this moment takes no close of ours any more."""
        if self.handshake_complete and not self.close_sent and self.conn.state is not State.OPEN:
            self.stop_keepalive()
            self.transport.close()
            return
        super().shutdown()

    @property
    def open(self) -> bool:
        """Whether anything sent now may arrive."""
        return self.handshake_complete and not self.close_sent and not self.transport.is_closing()

    def push(self, ready: bytes) -> bool:
        """Send a `frame`, or drop the client because it reads too slowly; return whether it was sent."""
        if not self.open:
            return False
        if self.transport.get_write_buffer_size() > BACKLOG:
            self.drop(TOO_SLOW, "you read too slowly; come back with `after`")
            return False
        self.transport.write(ready)
        return True

    async def room(self) -> None:
        """Wait until what was sent is on its way, for what may be as slow as its reader."""
        await self.writable.wait()

    def drop(self, code: int, reason: str) -> None:
        """Close it. What waits to be sent is sent first, if it is read within `LINGER`."""
        if not self.open:
            return
        self.dropped = code
        self.stop_keepalive()
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": reason})
        self.conn.send_close(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        if self.read_paused:
            self.read_paused = False
            self.transport.resume_reading()
        self.close_timer = self.loop.call_later(LINGER, self.transport.abort)


def _plain(status: int, phrase: str, code: str, message: str, more: str = "") -> bytes:
    body = json.dumps({"error": {"code": code, "message": message}})
    return (
        f"HTTP/1.1 {status} {phrase}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        f"{more}Connection: close\r\n\r\n{body}"
    ).encode()
