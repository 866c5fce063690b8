"""The vendor's client with nothing round it: the same request, the same number at once, the same history.

Its faster backend, aiohttp, is what the bars stand beside; the way its documentation shows is measured too. What it is
asked is what the daemon asked.
"""

from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import anthropic

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Clients:
    """One client a backend."""

    aiohttp: anthropic.AsyncAnthropic
    httpx: anthropic.AsyncAnthropic


@asynccontextmanager
async def open_clients(url: str) -> AsyncGenerator[Clients, None]:
    """Open clients as a careful program would: one attempt."""
    backend = anthropic.DefaultAioHttpClient()
    async with (
        anthropic.AsyncAnthropic(api_key="test", base_url=url, max_retries=0, http_client=backend) as aiohttp,
        anthropic.AsyncAnthropic(api_key="test", base_url=url, max_retries=0) as httpx,
    ):
        yield Clients(aiohttp, httpx)


async def documented(clients: Clients, body: Body) -> str:
    """Ask in the way that the documentation shows, over the default backend."""
    return await _stream(clients.httpx, body)


async def messages_stream(clients: Clients, body: Body) -> str:
    """Ask in the way that the documentation shows, over the faster backend."""
    return await _stream(clients.aiohttp, body)


async def _stream(client: anthropic.AsyncAnthropic, body: Body) -> str:
    async with client.messages.stream(**body) as stream:
        return "".join([text async for text in stream.text_stream])


async def create_stream(clients: Clients, body: Body) -> str:
    """Ask in the fastest way that streams."""
    events = await clients.aiohttp.messages.create(**body, stream=True)
    deltas = [event.delta async for event in events if event.type == "content_block_delta"]
    return "".join(delta.text for delta in deltas if delta.type == "text_delta")


DOCUMENTED, STREAM, CREATE = "messages.stream(), httpx", "messages.stream()", "create(stream=True)"
WAYS = {DOCUMENTED: documented, STREAM: messages_stream, CREATE: create_stream}


class Conversation:
    """Keeps what was said, as a program with a session does."""

    def __init__(self, body: Body, history: Sequence[Body] = ()) -> None:
        opening = body["messages"][-1]
        self._body = {key: value for key, value in body.items() if key not in {"messages", "stream"}}
        self._context = opening["content"][:-1]
        self.messages: list[Body] = list(history)

    async def ask(self, clients: Clients, way: str, text: str) -> str:
        """Say `text`, and return the reply."""
        self.messages.append({"role": "user", "content": [*self._context, {"type": "text", "text": text}]})
        reply = await WAYS[way](clients, {**self._body, "messages": self.messages})
        self.messages.append({"role": "assistant", "content": [{"type": "text", "text": reply}]})
        return reply
