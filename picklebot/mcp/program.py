"""A server as a program: started, spoken to over its stdin and stdout, and ended with all that it started.

Promises that what a server writes is bounded: a message too long ends it, and so do too many lines that are none. Knows
no tool.
"""

import asyncio
import logging
import os
import signal
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any, TypeAlias

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from mcp.shared.message import SessionMessage
from mcp_types import jsonrpc_message_adapter

from picklebot import children
from picklebot.core.finishing import to_the_end

logger = logging.getLogger(__name__)

MAX_MESSAGE = 16_000_000  #: bytes of one message
MAX_NOISE = 1_000  #: lines that are no message
LEAVE_SECONDS = 2.0  #: to end by itself once its stdin is closed

Streams: TypeAlias = tuple[
    MemoryObjectReceiveStream[SessionMessage | Exception], MemoryObjectSendStream[SessionMessage]
]


class Flood(ValueError):
    """A server writes more than anybody reads."""


@asynccontextmanager
async def started(
    command: Sequence[str], environment: Mapping[str, str], folder: Path | None
) -> AsyncGenerator[Streams, None]:
    """Run a server for as long as the block lasts.

    Raises:
        OSError: it cannot be started.
        Flood: it wrote too much.
    """
    nowhere = asyncio.subprocess.DEVNULL
    process = await children.start(command, environment, folder=folder, limit=MAX_MESSAGE, stderr=nowhere)
    try:
        heard, hearing = anyio.create_memory_object_stream[SessionMessage | Exception](0)
        saying, said = anyio.create_memory_object_stream[SessionMessage](0)
        async with anyio.create_task_group() as group, heard, hearing, saying, said:
            group.start_soon(_hear, process, heard, name="mcp server hears")
            group.start_soon(_say, process, said, name="mcp server says")
            try:
                yield hearing, saying
            finally:
                group.cancel_scope.cancel()
    finally:
        await to_the_end(_end(process), name="mcp server ends")


async def _hear(process: Any, heard: MemoryObjectSendStream[SessionMessage | Exception]) -> None:
    noise = 0
    try:
        while line := await _line(process.stdout):
            try:
                message = SessionMessage(jsonrpc_message_adapter.validate_json(line, by_name=False))
            except ValueError:
                noise += 1
                if noise > MAX_NOISE:
                    raise Flood("it writes lines that are no messages to stdout") from None
                continue
            with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError):
                await heard.send(message)
    finally:
        heard.close()  # at once: an await here could lose why


async def _line(stdout: asyncio.StreamReader) -> bytes:
    """Return the next line; b"" once there is none."""
    try:
        return await stdout.readuntil(b"\n")
    except asyncio.IncompleteReadError:
        return b""
    except asyncio.LimitOverrunError as exc:
        raise Flood(f"it sent a message of more than {MAX_MESSAGE:,} bytes") from exc


async def _say(process: Any, said: MemoryObjectReceiveStream[SessionMessage]) -> None:
    with suppress(ConnectionError):  # it hung up, which is heard on the other side
        async for message in said:
            line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(line.encode("utf-8", "replace") + b"\n")
            await process.stdin.drain()


async def _end(process: asyncio.subprocess.Process) -> None:
    """Close its stdin, wait a little, and end whatever is left of it."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(TimeoutError):
        async with asyncio.timeout(LEAVE_SECONDS):
            await process.wait()
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await children.let_go(process)
