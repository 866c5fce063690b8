"""Searching the web through a service that the operator named: SearXNG or Brave.

Promises that a key goes to its own service only, and that an answer is read within a bound. Knows no tool.
"""

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import aiohttp

from picklebot.errors import ToolError

SECONDS = 15.0
MAX_BYTES = 1_000_000
BRAVE = "https://api.search.brave.com"

_WORDS = {401: "its key is not valid", 403: "it refuses us", 429: "it was asked too often; try again later"}


@dataclass(frozen=True, slots=True)
class Hit:
    """A page that a search found."""

    title: str
    url: str
    summary: str


class WebSearch:
    """One search service."""

    def __init__(self, *, service: Literal["searxng", "brave"], url: str | None, key: str | None) -> None:
        self._service = service
        self._url = url or BRAVE
        self._key = key

    async def search(self, query: str, count: int) -> Sequence[Hit]:
        """Return at most `count` pages, best first.

        Raises:
            ToolError: the service does not answer, in words for the model.
        """
        try:
            async with asyncio.timeout(SECONDS):
                answer = await self._ask(query, count)
        except TimeoutError as exc:
            raise ToolError(f"{self._service} took longer than {SECONDS:g} s to answer the search") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise ToolError(f"{self._service} cannot be reached for the search: {type(exc).__name__}") from exc
        read = _SERVICES[self._service].read
        try:
            return list(read(answer))[:count]
        except (KeyError, TypeError, AttributeError) as exc:
            raise ToolError(f"{self._service} answered the search with something unexpected") from exc

    async def _ask(self, query: str, count: int) -> Any:
        service = _SERVICES[self._service]
        headers = {"Accept": "application/json", **({"X-Subscription-Token": self._key} if self._key else {})}
        async with aiohttp.ClientSession(trust_env=False, cookie_jar=aiohttp.DummyCookieJar()) as client:
            asked = client.get(
                f"{self._url}{service.path}",
                params={"q": query, **service.parameters(count)},
                headers=headers,
                allow_redirects=False,
            )
            async with asked as response:
                if response.status != 200:
                    reason = _WORDS.get(response.status, response.reason or "")
                    raise ToolError(f"{self._service} answered the search with {response.status}: {reason}")
                content = await response.content.read(MAX_BYTES + 1)
                while len(content) <= MAX_BYTES and (piece := await response.content.read(MAX_BYTES)):
                    content += piece
        if len(content) > MAX_BYTES:
            raise ToolError(f"{self._service} answered the search with more than {MAX_BYTES:,} bytes")
        try:
            return json.loads(content)
        except ValueError as exc:
            hint = "; its format json may be switched off" if self._service == "searxng" else ""
            raise ToolError(f"{self._service} answered the search with something that is no JSON{hint}") from exc


@dataclass(frozen=True, slots=True, kw_only=True)
class _Service:
    path: str
    parameters: Callable[[int], Mapping[str, str]]
    read: Callable[[Any], Sequence[Hit]]


def _searxng(answer: Any) -> Sequence[Hit]:
    found = cast("Sequence[Mapping[str, Any]]", answer["results"])
    return [Hit(str(each["title"]), str(each["url"]), str(each.get("content") or "")) for each in found]


def _brave(answer: Any) -> Sequence[Hit]:
    found = cast("Sequence[Mapping[str, Any]]", answer.get("web", {}).get("results", []))
    return [Hit(str(each["title"]), str(each["url"]), str(each.get("description") or "")) for each in found]


_SERVICES: Mapping[str, _Service] = {
    "searxng": _Service(path="/search", parameters=lambda _: {"format": "json"}, read=_searxng),
    "brave": _Service(
        path="/res/v1/web/search",
        parameters=lambda count: {"count": str(count), "text_decorations": "false"},
        read=_brave,
    ),
}
