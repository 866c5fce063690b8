"""A daemon and the person who talks to it, side by side.

Promises that everything is stopped in good order however the person leaves. Knows no screen and no keyboard.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

from picklebot.channels.terminal import Reply, Tray
from picklebot.cli.daemon import Daemon

LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@asynccontextmanager
async def late_replies(
    tray: Tray, screen: asyncio.Lock, show: Callable[[Reply], Awaitable[None]]
) -> AsyncGenerator[None, None]:
    """Show replies that answer nothing said just now, whenever nobody else draws on the screen."""

    async def watch() -> None:
        while True:
            await tray.unseen()
            async with screen:
                for reply in tray.waiting:
                    await show(reply)
                    tray.shown(reply.key)

    watching = asyncio.create_task(watch(), name="late replies")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})
    if not watching.cancelled():
        watching.result()


async def run_beside(daemon: Daemon, body: Coroutine[object, object, int], *, interrupt: Callable[[], bool]) -> int:
    """Run `body` with the daemon beside it, and stop both in good order afterwards, however it went.

    Returns what `body` does. `interrupt` hears Ctrl-C, and returns whether the person wants to leave.

    Raises:
        PicklebotError: the daemon cannot be there any longer.
        ExceptionGroup: a worker failed.
    """
    stop, left = asyncio.Event(), list[int]()
    workers = asyncio.create_task(daemon.run(stop), name="daemon")
    talk = asyncio.create_task(body, name="conversation")

    def leave(number: signal.Signals) -> None:
        if number is not signal.SIGINT or interrupt():
            left.append(128 + number)
            talk.cancel()

    loop = asyncio.get_running_loop()
    for number in LEAVING:
        loop.add_signal_handler(number, leave, number)
    try:
        await asyncio.wait({workers, talk}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for number in LEAVING:
            loop.remove_signal_handler(number)  # from here on, the next one ends the program at once
        talk.cancel()
        await asyncio.wait({talk})
        daemon.tray.close()
        stop.set()
        await asyncio.wait({workers})
    await daemon.settle()
    if (failure := workers.exception()) is not None:
        raise failure
    return left[0] if left and talk.cancelled() else talk.result()
