"""Which daemon a terminal talks to: the one that runs in this workspace, else one in this process.

Knows no screen.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import cast

from picklebot.cli.daemon import Daemon
from picklebot.config import Config
from picklebot.plugins import load

_ABOARD = "picklebot.cli.aboard:open_aboard"


@asynccontextmanager
async def meet(config: Config, *, role: str) -> AsyncGenerator[Daemon, None]:
    """Yield a daemon for as long as the block lasts. `role` is what this process is: chat or ask.

    Raises:
        AlreadyRunning: a process that cannot be joined holds the workspace.
        PicklebotError: there is no daemon to be had.
    """
    # In a thread, so that keys are answered meanwhile; nothing is opened yet.
    opening = await asyncio.to_thread(load, _ABOARD, config=config, role=role)
    async with cast("AbstractAsyncContextManager[Daemon]", opening) as daemon:
        yield daemon
