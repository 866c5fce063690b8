"""The vendor's client for MCP, held at arm's length: it connects, lists and calls.

Imported when the first server is spoken to: it costs a second and 60 MB. Promises that whatever goes wrong with a server
leaves here as `ServerTrouble`. Knows nothing of what an agent may do.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

import anyio
import httpx2
from mcp import Client, MCPError
from mcp.client.streamable_http import streamable_http_client
from mcp_types import CONNECTION_CLOSED, REQUEST_TIMEOUT, Implementation
from pydantic import ValidationError

from picklebot import __version__
from picklebot.mcp.base import Answer, Dialled, ServerTrouble, Target
from picklebot.mcp.pins import Offer
from picklebot.mcp.program import started

MAX_TOOLS = 500  #: of one server
MAX_DESCRIPTION = 8_000  #: characters
MAX_SCHEMA = 32_000  #: characters
MAX_IMAGE = 5_000_000  #: characters of base64

_TROUBLE = (
    MCPError,
    httpx2.HTTPError,
    anyio.BrokenResourceError,
    anyio.ClosedResourceError,
    anyio.EndOfStream,
    ValidationError,
    OSError,
    ValueError,
    RuntimeError,
    TimeoutError,
)
_UNANSWERED = {CONNECTION_CLOSED, REQUEST_TIMEOUT}
_IMAGES = {"image/png", "image/jpeg", "image/gif", "image/webp"}


@asynccontextmanager
async def dial(target: Target) -> AsyncGenerator[Dialled, None]:
    """Connect to a server for as long as the block lasts; enter and leave it in one task.

    Raises:
        ServerTrouble: it cannot be started or reached, or the connection broke.
    """
    try:
        async with AsyncExitStack() as stack:
            transport = await _transport(target, stack)
            client = Client(
                transport,
                read_timeout_seconds=target.timeout,
                client_info=Implementation(name="picklebot", version=__version__),
            )
            yield _Dialled(await stack.enter_async_context(client), target.timeout)
    except _TROUBLE as exc:
        raise ServerTrouble(_words(exc)) from exc
    except ExceptionGroup as group:
        expected, rest = group.split((*_TROUBLE, ServerTrouble))
        if rest is not None or expected is None:
            raise
        raise ServerTrouble(_words(_first(expected))) from group


async def _transport(target: Target, stack: AsyncExitStack) -> Any:
    if target.url is not None:
        headers = {"Authorization": f"Bearer {target.token}"} if target.token else {}
        client = httpx2.AsyncClient(headers=headers, trust_env=False, timeout=target.timeout, follow_redirects=False)
        return streamable_http_client(target.url, http_client=await stack.enter_async_context(client))
    return started(target.command, target.environment, target.folder)


class _Dialled:
    """A live connection. May be used from any task while the block of `dial` lasts."""

    def __init__(self, client: Client, timeout: float) -> None:
        self._client = client
        self._timeout = timeout

    async def offers(self) -> Sequence[Offer]:
        """Return the tools that the server has.

        Raises:
            ServerTrouble: it does not say, or what it says makes no sense.
        """
        found: list[Offer] = []
        cursor: str | None = None
        try:
            while True:
                page = await self._client.list_tools(cursor=cursor, cache_mode="refresh")
                found += [offer for each in page.tools if (offer := _offer(each)) is not None]
                cursor = page.next_cursor
                if cursor is None or len(found) >= MAX_TOOLS:
                    return found[:MAX_TOOLS]
        except _TROUBLE as exc:
            raise ServerTrouble(_words(exc)) from exc

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Run a tool.

        Raises:
            ServerTrouble: nobody knows what came of it.
        """
        try:
            async with asyncio.timeout(self._timeout):
                result = await self._client.call_tool(tool, dict(arguments))
        except TimeoutError as exc:
            raise ServerTrouble(f"it did not answer within {self._timeout:g} s") from exc
        except MCPError as exc:
            if exc.error.code in _UNANSWERED:
                raise ServerTrouble(_words(exc)) from exc
            return Answer(blocks=({"type": "text", "text": _words(exc)},), is_error=True)
        except _TROUBLE as exc:
            raise ServerTrouble(_words(exc)) from exc
        blocks = tuple(_block(each) for each in result.content)
        if not blocks and result.structured_content is not None:
            blocks = ({"type": "text", "text": str(result.structured_content)},)
        return Answer(blocks=blocks, is_error=bool(result.is_error))


def _offer(tool: Any) -> Offer | None:
    """Return what a server offers, in bounds; None where it cannot be offered on."""
    schema = tool.input_schema
    if not re.fullmatch(r"[A-Za-z0-9_.:/-]{1,64}", tool.name) or len(str(schema)) > MAX_SCHEMA:
        return None
    hints = tool.annotations
    return Offer(
        name=tool.name,
        description=(tool.description or tool.title or tool.name)[:MAX_DESCRIPTION],
        input_schema=schema,
        harmless=bool(hints and hints.read_only_hint),
    )


def _block(content: Any) -> Mapping[str, Any]:
    match content.type:
        case "text":
            return {"type": "text", "text": content.text}
        case "image" if content.mime_type in _IMAGES and len(content.data) <= MAX_IMAGE:
            source = {"type": "base64", "media_type": content.mime_type, "data": content.data}
            return {"type": "image", "source": source}
        case "resource" if getattr(content.resource, "text", None) is not None:
            return {"type": "text", "text": content.resource.text}
        case "resource_link":
            return {"type": "text", "text": f"[{content.name}: {content.uri}]"}
        case kind:
            return {"type": "text", "text": f"[{kind}, which cannot be shown here]"}


def _first(error: BaseException) -> BaseException:
    while isinstance(error, BaseExceptionGroup):
        error = cast("BaseExceptionGroup[BaseException]", error).exceptions[0]
    return error


def _words(exc: BaseException) -> str:
    match exc:
        case FileNotFoundError():
            return f"there is no program {exc.filename!r}"
        case TimeoutError():
            return "it does not answer"
        case httpx2.HTTPStatusError():
            return f"it answered {exc.response.status_code}"
        case anyio.BrokenResourceError() | anyio.ClosedResourceError() | anyio.EndOfStream():
            return "it hung up"
        case _:
            return str(exc)[:500] or type(exc).__name__
