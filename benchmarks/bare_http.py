"""The Messages API server by itself, asked over raw sockets: the most that anything before it could reach."""

import asyncio
import json
from time import perf_counter
from urllib.parse import urlsplit

from benchmarks.bare_sdk import Body

_HEAD = (
    "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    "Anthropic-Version: 2026-10-21\r\nContent-Length: {}\r\n\r\n"
)


async def requests_per_second(url: str, body: Body, *, at_once: int, total: int) -> float:
    """Ask `total` times over `at_once` connections."""
    content = json.dumps({**body, "stream": True}).encode()
    request = _HEAD.format(len(content)).encode() + content
    each = total // at_once

    async def ask() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", urlsplit(url).port)
        for _ in range(each):
            writer.write(request)
            await reader.readuntil(b"0\r\n\r\n")
        writer.close()
        await writer.wait_closed()

    began = perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(at_once):
            group.create_task(ask())
    return each * at_once / (perf_counter() - began)
