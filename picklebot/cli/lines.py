"""Lines of a pipe, a file or a plain terminal, without blocking the loop.

Promises that memory stays bounded, and that waiting for a line holds nobody up, at the end of the program neither.
Knows no conversation.
"""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

from picklebot.core.text import MAX_CONTENT

CHUNK = 65_536
MAX_LINE = 4 * (MAX_CONTENT + 1)  #: bytes; what is longer is cut there, which is still too long to be accepted
ROOM = 16  #: lines that wait


async def read_lines(descriptor: int) -> AsyncIterator[str]:
    """Yield each line without its end."""
    loop = asyncio.get_running_loop()
    lines: asyncio.Queue[bytes | None] = asyncio.Queue(ROOM)

    def put(line: bytes | None) -> None:
        asyncio.run_coroutine_threadsafe(lines.put(line), loop).result()

    def read() -> None:
        buffer = b""
        with suppress(OSError, RuntimeError):  # the terminal has gone, or the loop has
            while chunk := os.read(descriptor, CHUNK):
                *whole, buffer = (buffer + chunk).split(b"\n")
                buffer = buffer[:MAX_LINE]
                for line in whole:
                    put(line)
            if buffer:
                put(buffer)
            put(None)

    # A daemon thread of its own: nothing can interrupt a read, and the program must not wait for it.
    threading.Thread(target=read, name="stdin", daemon=True).start()
    while (line := await lines.get()) is not None:
        yield line.decode("utf-8", "replace").rstrip("\r")
