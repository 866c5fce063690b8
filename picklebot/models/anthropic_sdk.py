"""The vendor's client, held at arm's length: it connects, sends bytes and gives bytes back.

Promises that nothing in the environment changes where a request goes or what stands in it, that a request goes out as
it was encoded, and that importing this module imports no SDK. Knows nothing of what the bytes mean.
"""

import asyncio
import importlib
import os
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol, TypeAlias
from urllib.parse import urlsplit

from picklebot.models.wire import PLAIN_CLAUDE, Capabilities

BASE_URL = "https://api.anthropic.com"
API_VERSION = "2026-10-21"  #: what this adapter was written against
CONNECT_SECONDS = 10.0
PIECE = 500_000  #: bytes of a request sent at once; aiohttp warns above a megabyte
DRAIN_SECONDS = 0.25  #: for the end of the body after the end of the message, so that the connection can be kept


Backend: TypeAlias = Literal["aiohttp", "httpx2"]


class Response(Protocol):
    """The part of an httpx2 response that we use."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Names in any case."""
        ...

    def aiter_bytes(self) -> AsyncGenerator[bytes, None]:
        """The body, decompressed, as it comes."""
        ...

    async def aclose(self) -> None:
        """Hang up, unless the body was read to its end."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """Where to ask, as whom, and how patiently (seconds). `max_tokens`, if set, caps every request's."""

    name: str
    base_url: str
    api_key: str = field(repr=False)
    max_tokens: int | None = None
    auth: Literal["bearer", "x-api-key"] = "bearer"
    api_version: str = API_VERSION
    timeout: float = 120.0
    total: float = 600.0
    capabilities: Capabilities = PLAIN_CLAUDE
    http: Backend = "aiohttp"

    @property
    def host(self) -> str:
        """The part of the address that may be shown."""
        return urlsplit(self.base_url).hostname or ""


def preload(*, http: Backend = "aiohttp") -> None:
    """Import the client and all it imports on first use: seconds, so do it in a thread. Safe to call twice at once."""
    for module in ("anthropic", "anthropic.types.shared.error_details", http, "httpx2"):
        sdk(module)


@cache
def sdk(module: str = "anthropic") -> Any:
    """Return a module of the SDK: the marked lazy import, because it costs seconds and 80 MB."""
    return importlib.import_module(module)  # lazy: it costs seconds and 80 MB


def transport_errors() -> tuple[type[Exception], ...]:
    """Return what the SDK lets through from below itself, beside its own errors."""
    httpx2 = sdk("httpx2")
    below = (httpx2.HTTPError, httpx2.InvalidURL, httpx2.StreamError, OSError)
    aiohttp = sys.modules.get("aiohttp")  # where nobody imported it, nobody raises its errors
    return (sdk().AnthropicError, *below, *((aiohttp.ClientError,) if aiohttp else ()))


def connect(endpoint: Endpoint) -> Any:
    """Build the SDK's client; slow (imports, certificates), so it is called in a thread."""
    preload(http=endpoint.http)
    anthropic, httpx2 = sdk(), sdk("httpx2")
    key = endpoint.api_key or "none"
    ours: dict[str, Any] = {
        "Accept": "text/event-stream",
        "Content-Type": "application/json",
        "Anthropic-Version": endpoint.api_version,
        "Authorization": f"Bearer {key}" if endpoint.auth == "bearer" else anthropic.omit,
        "X-Api-Key": key if endpoint.auth == "x-api-key" else anthropic.omit,
    }
    # The SDK reads ANTHROPIC_CUSTOM_HEADERS whatever it is given, so each name found there is set right or left out.
    by_name = {name.lower(): value for name, value in ours.items()}
    unasked = (line.partition(":")[0].strip() for line in os.environ.get("ANTHROPIC_CUSTOM_HEADERS", "").split("\n"))
    timeout = httpx2.Timeout(None, connect=CONNECT_SECONDS, pool=CONNECT_SECONDS)
    backend = anthropic.DefaultAioHttpClient if endpoint.http == "aiohttp" else anthropic.DefaultAsyncHttpxClient
    return anthropic.AsyncAnthropic(
        api_key=key,
        base_url=endpoint.base_url,
        max_retries=0,
        timeout=timeout,
        open_telemetry=False,
        http_client=backend(verify=_certificates(), timeout=timeout, follow_redirects=False),
        default_headers={name: by_name.get(name.lower(), anthropic.omit) for name in unasked if name} | ours,
    )


@cache
def _certificates() -> Any:
    """Return the TLS settings of every client: reading the machine's certificates takes long, so it is done once."""
    return sdk("httpx2").create_ssl_context()


async def post(client: Any, endpoint: Endpoint, body: bytes) -> Response:
    """Send `body` as it is: the SDK's typed call would walk through the whole conversation, block by block."""
    large = len(body) > PIECE
    stream = await client.post(
        f"{endpoint.base_url}/v1/messages",  # whole: else it is put together anew each time
        cast_to=object,
        content=_pieces(body) if large else body,
        options={"headers": {"Content-Length": str(len(body))}} if large else {},
        stream=True,
        stream_cls=sdk().AsyncStream[object],
    )
    response: Response = stream.response
    return response


async def get(client: Any, path: str) -> Response:
    """Ask for what is at `path`."""
    stream = await client.get(
        path,
        cast_to=object,
        options={"headers": {"Accept": "application/json"}},
        stream=True,
        stream_cls=sdk().AsyncStream[object],
    )
    response: Response = stream.response
    return response


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    for start in range(0, len(body), PIECE):
        yield body[start : start + PIECE]


async def drain(chunks: AsyncGenerator[bytes, None]) -> None:
    """Read the end of the body, so that the connection can serve again; a peer that dawdles loses it."""
    with suppress(TimeoutError, *transport_errors()):
        async with asyncio.timeout(DRAIN_SECONDS):
            async for _ in chunks:
                pass
