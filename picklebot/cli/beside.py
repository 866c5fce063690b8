"""A daemon in this process, beside the person who talks to it.

Promises that it is stopped in good order however the person leaves, and that a reply which was shown is acknowledged
before the program ends. Knows no screen and no keyboard.
"""

import asyncio
import signal
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager

from picklebot.app import App
from picklebot.channels.terminal import Reply, TerminalChannel
from picklebot.clock import SystemClock
from picklebot.core.events import OutboundEvent
from picklebot.store.base import OutboxRow

GRACE = 3.0  #: seconds that each worker gets to end when somebody leaves
LEAVING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PAGE = 500


@asynccontextmanager
async def late_replies(
    channel: TerminalChannel, screen: asyncio.Lock, show: Callable[[Reply], Awaitable[None]]
) -> AsyncGenerator[None, None]:
    """Show replies that answer nothing said just now, whenever nobody else draws on the screen."""

    async def watch() -> None:
        while True:
            await channel.unseen()
            async with screen:
                for reply in channel.waiting:
                    await show(reply)
                    channel.shown(reply.key)

    watching = asyncio.create_task(watch(), name="late replies")
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.wait({watching})
    if not watching.cancelled():
        watching.result()


async def run_beside(
    app: App, channel: TerminalChannel, body: Coroutine[object, object, int], *, interrupt: Callable[[], bool]
) -> int:
    """Run `body` with the daemon's workers beside it, and stop them in good order afterwards, however it went.

    Returns what `body` does. `interrupt` hears Ctrl-C, and returns whether the person wants to leave.

    Raises:
        ExceptionGroup: a worker failed.
    """
    since = await app.store.log.last()
    stop, left = asyncio.Event(), list[int]()
    workers = asyncio.create_task(app.run(stop, grace=GRACE), name="workers")
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
        channel.close()
        stop.set()
        await asyncio.wait({workers})
    await _acknowledge(app, channel.unsent, since)
    if (failure := workers.exception()) is not None:
        raise failure
    return left[0] if left and talk.cancelled() else talk.result()


async def _acknowledge(app: App, keys: frozenset[str], since: int) -> None:
    """Acknowledge what was shown and not sent, because an older reply stood before it in the outbox."""
    left, seq = set(keys), since
    while left and (page := await app.store.log.after(seq, limit=PAGE)):
        for seq, event in page:
            if isinstance(event, OutboundEvent) and event.id in left:
                left.discard(event.id)
                row = OutboxRow(seq=seq, event=event, attempts=0, since=event.created_at)
                await app.store.outbox.ack(row, receipt="shown", at=SystemClock().now())
