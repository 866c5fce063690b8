"""The Messages API, through the vendor's own client.

Promises one attempt per request, that nothing in the environment redirects it or adds to it, and that no reply comes
of a stream that was cut. The client sends, and reads bytes; what they mean is judged here, strictly. Knows no retry.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Generator, Mapping
from contextlib import aclosing, contextmanager, suppress
from typing import Any, Literal
from urllib.parse import urlsplit

from picklebot.errors import ConfigError, ModelUnavailable
from picklebot.models.accumulate import CONTENT_EVENTS, Accumulator
from picklebot.models.anthropic_sdk import (
    API_VERSION,
    BASE_URL,
    Endpoint,
    Response,
    connect,
    drain,
    get,
    post,
    sdk,
    transport_errors,
)
from picklebot.models.anthropic_sdk import preload as preload
from picklebot.models.base import ModelEvent, ModelRequest
from picklebot.models.failures import redact, status_error, transport_reason
from picklebot.models.listing import windows_in
from picklebot.models.patience import Patience
from picklebot.models.sse import SSEDecoder
from picklebot.models.wire import PLAIN_CLAUDE, Capabilities, encode_request

LISTING = 10.0  #: seconds for a list of the endpoint's models
MAX_LIST = 4_000_000  #: bytes of it


def create(  # noqa: PLR0913 - these are the settings of a provider, by the names they have in config.yaml
    *,
    name: str,
    base_url: str | None,
    api_key: str,
    max_tokens: int | None = None,
    auth: Literal["bearer", "x-api-key"] = "bearer",
    api_version: str | None = None,
    timeout: float = 120.0,
    total: float = 600.0,
    capabilities: Capabilities = PLAIN_CLAUDE,
    http: Literal["aiohttp", "httpx2"] = "aiohttp",
) -> "AnthropicModel":
    """Return the model called `name` behind `base_url` (None is the vendor's own); a trailing /v1 is understood.

    `max_tokens` is a ceiling on what any request may ask for.

    Raises:
        ConfigError: the address or the key cannot be right.
    """
    url = (base_url or BASE_URL).rstrip("/").removesuffix("/v1")
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        raise ConfigError(f"base_url {url!r} is not an address: it looks like 'https://api.anthropic.com'")
    key = api_key.strip()
    if not all("!" <= character <= "~" for character in key):
        raise ConfigError("the API key holds a character that no key has: copy it again")
    return AnthropicModel(
        Endpoint(
            name=name,
            base_url=url,
            api_key=key,
            max_tokens=max_tokens,
            auth=auth,
            api_version=api_version or API_VERSION,
            timeout=timeout,
            total=total,
            capabilities=capabilities,
            http=http,
        )
    )


class AnthropicModel:
    """A model behind one endpoint. The connection pool opens with the first request."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: Any = None
        self._opening = asyncio.Lock()

    @property
    def name(self) -> str:
        """The model's name, as the endpoint knows it."""
        return self._endpoint.name

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Ask once; yield pieces as they come, and last of all the reply. Closing the generator hangs up."""
        endpoint = self._endpoint
        body = encode_request(
            request,
            model=request.model or endpoint.name,
            max_tokens=min(request.max_tokens, endpoint.max_tokens or request.max_tokens),
            capabilities=endpoint.capabilities,
        )
        client = await self._open()
        patience = Patience(idle=endpoint.timeout, total=endpoint.total)
        accumulator, decoder = Accumulator(secret=endpoint.api_key), SSEDecoder()
        with self._translated(patience):
            async with patience.timeout():
                response = await post(client, endpoint, body)
        try:
            self._check_type(response)
            async with aclosing(response.aiter_bytes()) as chunks:
                while not accumulator.complete and (events := await self._read(chunks, decoder, patience)) is not None:
                    for event in events:
                        for piece in accumulator.feed(event):
                            yield piece
                        if event.get("type") in CONTENT_EVENTS:
                            patience.progress()
                reply = accumulator.reply(response.headers.get("request-id"))
                await drain(chunks)
        finally:
            with suppress(*transport_errors()):
                await response.aclose()
        yield reply

    async def list_windows(self) -> dict[str, int]:
        """Return the windows of the endpoint's models, as far as it says; asked once.

        Raises:
            ModelUnavailable, ModelRejected: it cannot be asked.
        """
        patience = Patience(idle=LISTING, total=LISTING)
        client, content = await self._open(), b""
        with self._translated(patience):
            async with patience.timeout():
                response = await get(client, "/v1/models?limit=1000")
                try:
                    async with aclosing(response.aiter_bytes()) as chunks:
                        async for chunk in chunks:
                            content += chunk
                            if len(content) > MAX_LIST:
                                raise ValueError(f"a list of models of more than {MAX_LIST:,} bytes")
                finally:
                    with suppress(*transport_errors()):
                        await response.aclose()
            return windows_in(json.loads(content))

    async def aclose(self) -> None:
        """Close the connection pool."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def _open(self) -> Any:
        async with self._opening:
            if self._client is None:
                self._client = await asyncio.to_thread(connect, self._endpoint)
            return self._client

    async def _read(
        self, chunks: AsyncGenerator[bytes, None], decoder: SSEDecoder, patience: Patience
    ) -> list[Mapping[str, Any]] | None:
        """Return the events that the next bytes complete; None at the end of the stream."""
        with self._translated(patience):
            async with patience.timeout():
                chunk = await anext(chunks, None)
            return None if chunk is None else list(decoder.feed(chunk))

    def _check_type(self, response: Response) -> None:
        kind = response.headers.get("content-type", "")
        if not kind.startswith("text/event-stream"):
            said = f"{kind.partition(';')[0]!r}" if kind else "nothing"
            raise ModelUnavailable(f"{self._endpoint.host} answered with {said} instead of a stream of events")

    @contextmanager
    def _translated(self, patience: Patience) -> Generator[None, None, None]:
        """Turn whatever the SDK and the libraries under it raise into our errors."""
        host, key = self._endpoint.host, self._endpoint.api_key
        try:
            yield
        except TimeoutError as exc:
            raise patience.lost() from exc
        except sdk().APIStatusError as exc:
            headers = {name.lower(): value for name, value in exc.response.headers.items()}
            raise status_error(exc.status_code, exc.body, headers, secret=key) from exc
        except transport_errors() as exc:
            reason = redact(transport_reason(exc), key)
            raise ModelUnavailable(f"the connection to {host} failed: {reason}") from exc
        except ValueError as exc:
            raise ModelUnavailable(f"the model's answer was cut or garbled: {exc}") from exc
