"""Which daemon a terminal talks to: the one that runs in this workspace, else one in this process.

Promises that nothing of a daemon is loaded where one is joined. Knows no screen.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from picklebot.cli.daemon import Daemon
from picklebot.config import Config
from picklebot.lock import JOINABLE, AlreadyRunning, Holder, holder_of
from picklebot.plugins import load

ABOARD, JOINED = "picklebot.cli.aboard:open_aboard", "picklebot.cli.joined:open_joined"
START_SECONDS = 10.0  #: that a daemon which has just begun may take until it listens
PAUSE = 0.1


@asynccontextmanager
async def meet(config: Config, *, role: str) -> AsyncGenerator[Daemon, None]:
    """Yield a daemon for as long as the block lasts. `role` is what this process is: chat or ask.

    Raises:
        AlreadyRunning: a process that cannot be joined holds the workspace.
        PicklebotError: there is no daemon to be had.
    """
    target = JOINED if await runs(config) else ABOARD
    # In a thread, so that keys are answered meanwhile; nothing is opened yet.
    opening = await asyncio.to_thread(load, target, config=config, role=role)
    async with cast("AbstractAsyncContextManager[Daemon]", opening) as daemon:
        yield daemon


async def runs(config: Config) -> bool:
    """Return whether there is a daemon to be joined; one that is just starting is waited for.

    Raises:
        AlreadyRunning: there is one that does not listen.
    """
    loop = asyncio.get_running_loop()
    until = loop.time() + START_SECONDS
    while (holder := _holder(config)) is not None and (holder.role in JOINABLE or not holder.pid):
        if holder.url is not None:
            return True
        if not holder.pid and loop.time() > until:
            return False  # it is none that would say so, and refuses us
        if holder.pid and (not config.gateway.enabled or loop.time() > until):
            raise AlreadyRunning(
                f"a picklebot {holder.role} (process {holder.pid}) runs in this workspace and does not listen, so it cannot "
                "be joined: set gateway.enabled: true and restart it, or stop it first"
            )
        await asyncio.sleep(PAUSE)
    return False


def _holder(config: Config) -> Holder | None:
    return holder_of(config.workspace.lock_file, config.workspace.daemon_file)
