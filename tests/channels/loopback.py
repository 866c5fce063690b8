"""A platform on loopback, with an HTTP server of aiohttp's.

Promises to be on the same port when it comes back, and to tell whoever waits when anything has happened. Knows no
platform.
"""

import asyncio
from collections.abc import Callable

from aiohttp import web

from picklebot.testing.clock import PATIENCE


class Loopback:
    """Answers what `routes` lists."""

    def __init__(self) -> None:
        self.url = ""
        self._bells: set[asyncio.Event] = set()
        self._runner: web.AppRunner | None = None
        self._port = 0

    def routes(self) -> list[web.RouteDef]:
        """Return what it answers."""
        raise NotImplementedError

    async def start(self) -> None:
        """Listen, on the same port as before."""
        app = web.Application(client_max_size=32 << 20)
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True).start()
        self._port = self._runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{self._port}"

    async def stop(self) -> None:
        """Be gone; what was said stays, and more may be said."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def ring(self) -> None:
        """Say that something has happened."""
        for bell in self._bells:
            bell.set()

    async def until(self, fact: Callable[[], object], *, seconds: float = PATIENCE) -> None:
        """Wait until `fact` holds, which is looked at whenever anything happens here."""
        bell = asyncio.Event()
        self._bells.add(bell)
        try:
            async with asyncio.timeout(seconds):
                while not fact():
                    bell.clear()
                    await bell.wait()
        finally:
            self._bells.discard(bell)
