"""Runs the gateway beside the other workers: the hub, the server, and an eye on the token.

Promises that it is ready when it listens, that a stop answers what was asked and closes every connection, and that
whoever came in with a token that is no more is out within a second. Knows no route.
"""

import asyncio
import logging
from collections.abc import Callable

from picklebot.clock import Clock
from picklebot.gateway.listener import Listener
from picklebot.gateway.site import Site
from picklebot.gateway.wire import REVOKED

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5  #: seconds between two looks at the token, which is a question for the file's inode


class GatewayWorker:
    """The gateway."""

    name = "gateway"

    def __init__(self, site: Site, *, listener: Listener, clock: Clock, listening: Callable[[], None]) -> None:
        """`listening` is called once connections are taken."""
        self.site = site
        self._listener = listener
        self._clock = clock
        self._listening = listening

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until stopped."""

        def begun() -> None:
            self._listening()
            ready()

        async with asyncio.TaskGroup() as group:
            group.create_task(self.site.hub.run(), name="gateway: hub")
            watches = [
                group.create_task(self._watch_token(), name="gateway: token"),
                group.create_task(self.site.metrics.watch(), name="gateway: loop lag"),
                group.create_task(self.site.book.run(), name="gateway: door book"),
            ]
            await self._listener.run(begun)
            for watch in watches:
                watch.cancel()
            self.site.hub.close()
        await self.site.book.close()

    def stop(self) -> None:
        """Take no more; answer what was asked."""
        self.site.hub.close()
        self._listener.stop()

    async def _watch_token(self) -> None:
        token = self.site.secret.digest()
        while True:
            await self._clock.sleep(LOOK_EVERY)
            if (now := self.site.secret.digest()) != token:
                token = now
                self.site.book.jot("the token was changed")
                logger.warning("the token was changed: every connection that came in with the old one is closed")
                self.site.sockets.expel(REVOKED, "the token was changed")
