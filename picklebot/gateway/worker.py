"""Runs the gateway beside the other workers: the hub, the server, and an eye on the token.

Promises that it is ready when it listens, that a stop answers what was asked and closes every connection, and that
whoever came in with a token that is no more is out within a second. Knows no route.
"""

import asyncio
import logging
from collections.abc import Callable

from picklebot.clock import Clock
from picklebot.gateway.hub import Hub
from picklebot.gateway.listener import Listener
from picklebot.gateway.secret import Secret
from picklebot.gateway.sockets import Sockets
from picklebot.gateway.wire import REVOKED

logger = logging.getLogger(__name__)

LOOK_EVERY = 0.5  #: seconds between two looks at the token, which is a question for the file's inode


class GatewayWorker:
    """The gateway."""

    name = "gateway"

    def __init__(
        self,
        *,
        hub: Hub,
        listener: Listener,
        sockets: Sockets,
        secret: Secret,
        clock: Clock,
        listening: Callable[[], None],
    ) -> None:
        """`listening` is called once connections are taken."""
        self._hub = hub
        self._listener = listener
        self._sockets = sockets
        self._secret = secret
        self._clock = clock
        self._listening = listening

    async def run(self, ready: Callable[[], None]) -> None:
        """Serve until stopped."""

        def begun() -> None:
            self._listening()
            ready()

        async with asyncio.TaskGroup() as group:
            group.create_task(self._hub.run(), name="gateway: hub")
            watch = group.create_task(self._watch_token(), name="gateway: token")
            await self._listener.run(begun)
            watch.cancel()
            self._hub.close()

    def stop(self) -> None:
        """Take no more; answer what was asked."""
        self._hub.close()
        self._listener.stop()

    async def _watch_token(self) -> None:
        token = self._secret.digest()
        while True:
            await self._clock.sleep(LOOK_EVERY)
            if (now := self._secret.digest()) != token:
                token = now
                logger.warning("the token was changed: every connection that came in with the old one is closed")
                self._sockets.expel(REVOKED, "the token was changed")
