"""The whole daemon with its gateway, and programs that talk to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeAlias

import httpx2
import openai

from tests.gateway.conftest import PATIENCE, Site
from tests.gateway.conftest import agent as agent
from tests.gateway.conftest import clock as clock
from tests.gateway.conftest import gateway as gateway
from tests.gateway.conftest import mine as mine
from tests.gateway.conftest import serve as serve

Hook: TypeAlias = Callable[[httpx2.Request], Awaitable[None]]


@asynccontextmanager
async def openai_client(
    site: Site, *, token: str | None = None, retries: int = 0, heard: Hook | None = None
) -> AsyncIterator[openai.AsyncOpenAI]:
    """OpenAI's own client, pointed at a daemon. `heard` is called with each request before it is sent."""
    http = openai.DefaultAsyncHttpxClient(trust_env=False, event_hooks={"request": [heard] if heard else []})
    async with openai.AsyncOpenAI(
        base_url=f"{site.url}/v1", api_key=token or site.token, max_retries=retries, timeout=PATIENCE, http_client=http
    ) as client:
        yield client
