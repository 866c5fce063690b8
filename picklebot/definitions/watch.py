"""Says when the definitions of a workspace may have changed.

Promises a hint soon after every change, and one every `interval` seconds whatever happens: a hint means "look again",
never what changed or that anything did. Leaves no thread and no task behind when closed. Knows nothing of definitions.
"""

import asyncio
from collections.abc import AsyncGenerator, Collection
from datetime import timedelta
from pathlib import Path

from picklebot.clock import Clock, SystemClock
from picklebot.definitions.listener import Listener

ECHO = 0.3  #: seconds after a change until the second hint
_UNHEARD, _HEARD = 1.0, 30.0  # seconds between looks, without and with somebody listening


async def watch(
    root: Path,
    *,
    folders: Collection[str] = ("agents", "crons", "skills"),
    names: Collection[str] = ("AGENT.md", "SOUL.md", "CRON.md", "SKILL.md"),
    interval: float | None = None,
    clock: Clock | None = None,
) -> AsyncGenerator[None]:
    """Yield whenever something in `folders` of `root`, or a file called one of `names`, may have changed.

    The folders need not exist yet. A change is hinted at twice, because the file made in a folder that was just made
    itself is not heard. Use `contextlib.aclosing`, or cancel the task that iterates: either closes it cleanly.
    """
    clock = clock or SystemClock()
    bell = asyncio.Event()
    listener = Listener(root, folders=folders, names=names, ring=bell.set)
    listener.start()
    try:
        while True:
            pause = interval if interval is not None else _HEARD if listener.listening else _UNHEARD
            rung = await clock.wait(bell, until=clock.now() + timedelta(seconds=pause))
            bell.clear()
            yield
            if rung:
                await clock.sleep(ECHO)
                yield
    finally:
        await listener.close()
