"""Starts workers in order and stops them in reverse.

Promises that each worker feeds only those that are ready, and that none loses what it still feeds. Expected trouble
never gets here: a worker that raises is a bug, and takes the daemon down with its traceback. Knows no worker's work.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from picklebot.workers.base import Worker

logger = logging.getLogger(__name__)


async def supervise(
    workers: Sequence[Worker],
    stop: asyncio.Event,
    *,
    grace: float = 10.0,
    in_all: float = 25.0,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run `workers` until `stop` is set, or until one of them fails.

    Each starts only once the one before is ready; `ready` is called after the last. On `stop`, each gets `grace`
    seconds to drain, last started first, and all of them `in_all` seconds together. A worker that raises or returns early takes the others down with it.
    """
    stopping = False

    async def watch(worker: Worker, is_ready: Callable[[], None]) -> None:
        await worker.run(is_ready)
        if not stopping:
            raise RuntimeError(f"worker {worker.name} returned without being stopped")

    async with asyncio.TaskGroup() as group:
        started: list[tuple[Worker, asyncio.Task[None]]] = []
        for worker in workers:
            is_ready = asyncio.Event()
            task = group.create_task(watch(worker, is_ready.set), name=worker.name)
            started.append((worker, task))
            await is_ready.wait()  # a failure before this cancels us through the group
            logger.debug("%s is ready", worker.name)
        ready()
        await stop.wait()
        stopping = True
        end = asyncio.get_running_loop().time() + in_all
        for worker, task in reversed(started):
            worker.stop()
            patience = min(grace, max(0.0, end - asyncio.get_running_loop().time()))
            _, late = await asyncio.wait({task}, timeout=patience)
            if late:
                logger.warning("%s did not stop within %.1f s; cancelling", worker.name, patience)
                task.cancel()
                await asyncio.wait({task})
