"""A daemon in this process, for a program that found none. It has no channels and begins no job of a file."""

import asyncio
import os

from picklebot.app import open_app
from picklebot.config import Config, load

GRACE = 3.0  #: seconds that each worker gets to end when the program leaves


async def run_own(*, config: Config, stop: asyncio.Event, ready: asyncio.Future[int]) -> None:
    """Run one until `stop`, on any free port: it is found through the workspace. `ready` is told its process.

    Raises:
        AlreadyRunning: another process holds the workspace.
        PicklebotError: it cannot be opened.
    """
    env = {**os.environ, "PICKLEBOT_GATEWAY__PORT": "0"}
    async with open_app(await asyncio.to_thread(load, config.workspace, env), role="mcp") as app:
        await app.run(stop, ready=lambda: ready.set_result(os.getpid()), grace=GRACE)
