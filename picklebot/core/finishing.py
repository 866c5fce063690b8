"""Work that is seen to its end, whoever loses patience with it.

Promises that who is cancelled meanwhile leaves only when the work has ended, and then leaves. Knows no work.
"""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


async def to_the_end(work: Coroutine[Any, Any, T], *, name: str) -> T:
    """Do `work` and return what comes of it. Cancelled, it goes on to its end first; what came of it is lost then."""
    task = asyncio.create_task(work, name=name)
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        if not task.cancelled():
            task.exception()  # seen: an error must not keep us here either
        raise asyncio.CancelledError
    return task.result()
