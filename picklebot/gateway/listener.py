"""The server: uvicorn inside the daemon's own loop, on a socket that was bound before.

Promises that uvicorn touches no signal, reads no environment and never ticks, and that none of its tasks outlives it.
Knows no route.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Generator
from dataclasses import dataclass

import uvicorn
from starlette.types import ASGIApp

from picklebot.gateway.wire import GatewayHTTP, GatewaySocket

MAX_FRAME = 256 * 1024  #: bytes of one WebSocket message; a larger one ends the connection with 1009
MAX_HEAD = 32 * 1024  #: bytes of the head of a request
KEEP_ALIVE = 30  #: seconds that a connection may be silent between two requests


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a connection may take, in seconds: for the head of a request, between two pings, for their answers."""

    head: float = 10.0
    ping: float = 20.0
    pong: float = 20.0


class Listener:
    """Serves one application on one socket."""

    def __init__(
        self, app: ASGIApp, bound: socket.socket, *, connections: int, patience: Patience | None = None
    ) -> None:
        patience = patience or Patience()
        self._bound = bound
        http = type("_HTTP", (GatewayHTTP,), {"most": connections, "head_seconds": patience.head})
        self._server = _Server(
            uvicorn.Config(
                app,
                http=http,
                ws=GatewaySocket,
                ws_max_size=MAX_FRAME,
                ws_per_message_deflate=False,  # its memory is per client, and it makes secrets guessable by length
                ws_ping_interval=patience.ping,
                ws_ping_timeout=patience.pong,
                h11_max_incomplete_event_size=MAX_HEAD,
                timeout_keep_alive=KEEP_ALIVE,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,
                proxy_headers=False,  # nobody is believed who says whom they speak for
                server_header=False,
                date_header=False,
            )
        )

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until stopped; then answer what was asked, and close every connection."""
        self._server.ready = ready
        try:
            await self._server.serve([self._bound])
        finally:
            left = [task for task in self._server.server_state.tasks if not task.done()]
            for task in left:
                task.cancel()
            if left:
                await asyncio.wait(left)

    def stop(self) -> None:
        """Take no more connections."""
        self._server.over.set()


class _Server(uvicorn.Server):
    """uvicorn without its signals and its ticking."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.over = asyncio.Event()
        self.ready: Callable[[], None] = lambda: None

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave signals to the daemon."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so."""
        await super().startup(sockets)
        self.ready()

    async def main_loop(self) -> None:
        """Wait for the end."""
        await self.over.wait()
