"""Whether the gateway listens, where, and with which token.

Promises that a daemon without a gateway loads nothing of the web. Knows no route.
"""

import socket
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, replace
from typing import Any, TypeAlias, cast

from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.gateway.entrance import Entrances
from picklebot.gateway.port import bind, url_of
from picklebot.gateway.secret import FixedToken, Secret, TokenFile
from picklebot.lock import JOINABLE, Holder
from picklebot.plugins import load
from picklebot.wiring.parts import Parts
from picklebot.wiring.staff import Staff
from picklebot.workers.base import Worker

#: Looks a workspace over, as `picklebot doctor` does. It reads files and a database: call it off the loop.
Examine: TypeAlias = Callable[[], Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What a gateway stands on: the daemon around it, its port and its token."""

    config: Config
    clock: Clock
    parts: Parts
    staff: Staff
    entrances: Entrances
    bound: socket.socket
    secret: Secret
    examine: Examine
    begun: int
    """The last seq of the log when the daemon began."""

    @property
    def url(self) -> str:
        """Where it listens."""
        return url_of(self.bound)

    @property
    def holder(self) -> Holder:
        """This process, and where it listens."""
        return replace(self.parts.holder, url=self.url)


@asynccontextmanager
async def open_gateway(
    config: Config, clock: Clock, parts: Parts, staff: Staff, entrances: Entrances, *, examine: Examine
) -> AsyncGenerator[Worker | None]:
    """Yield the worker that serves the gateway, its port taken already; None where none is to listen.

    Raises:
        ConfigError: the port, or the token, cannot be had.
    """
    if not config.gateway.enabled or parts.role not in JOINABLE:
        yield None
        return
    secret = secret_of(config)
    with closing(bind(config.gateway.host, config.gateway.port)) as bound:
        ground = Ground(
            config=config,
            clock=clock,
            parts=parts,
            staff=staff,
            entrances=entrances,
            bound=bound,
            secret=secret,
            examine=examine,
            begun=await parts.store.log.last(),
        )
        yield cast("Worker", load("picklebot.wiring.site:create_worker", ground=ground))


def secret_of(config: Config) -> Secret:
    """Return the token of the gateway, made if it is the first time.

    Raises:
        ConfigError: it is not there, too short, or cannot be kept.
    """
    variable = config.gateway.token_env
    if variable is None:
        file = TokenFile(config.workspace.token_file)
        file.prepare()
        return file
    token = config.secret(variable)
    if token is None:
        raise ConfigError(f"gateway.token_env: {variable} is neither in the environment nor in .env")
    return FixedToken(token, variable=variable)
