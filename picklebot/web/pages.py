"""One page from the web: asked for, followed, read, and turned into text.

Promises that it takes at most `SECONDS`, reads at most `MAX_BYTES`, follows at most `REDIRECTS`, and checks each step as
if it were the first. Knows no tool.
"""

import asyncio
import codecs
import logging
from dataclasses import dataclass

import aiohttp
from yarl import URL

from picklebot.errors import ToolError
from picklebot.web import urls
from picklebot.web.addresses import Reach
from picklebot.web.converting import Text, convert
from picklebot.web.inflating import Body
from picklebot.web.reaching import Lookup, look_up, open_client

SECONDS = 20.0  #: from the question to the last byte
MAX_BYTES = 5_000_000
REDIRECTS = 3

_PIECE = 65_536
_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,text/markdown,text/plain;q=0.9,application/json;q=0.9,*/*;q=0.1",
    "Accept-Encoding": "identity",
    "User-Agent": "picklebot (+a person's own agent)",
}
_MARKUP = ("text/html", "application/xhtml+xml")
_TEXTS = ("text/", "application/json", "application/xml", "application/javascript", "application/x-yaml")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page as text. `notes` say what was left out, and what is odd about it."""

    url: str
    """Where the last redirect led."""
    title: str
    text: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    url: URL
    kind: str
    charset: str | None
    body: Body


class Pages:
    """Fetches pages from where it may."""

    def __init__(self, *, reach: Reach, lookup: Lookup = look_up, seconds: float = SECONDS) -> None:
        self._reach = reach
        self._lookup = lookup
        self._seconds = seconds

    async def fetch(self, address: str) -> Page:
        """Return the page at `address`.

        Raises:
            ToolError: there is none, it is no text, or it may not be asked for; in words for the model.
        """
        url = urls.parse(address)
        try:
            async with asyncio.timeout(self._seconds):
                answer = await self._follow(url)
        except TimeoutError as exc:
            raise ToolError(f"{url.host} took longer than {self._seconds:g} s") from exc
        except (aiohttp.ClientError, OSError) as exc:
            raise ToolError(f"{url.host} cannot be read: {_reason(exc)}") from exc
        return await _read(answer)

    async def _follow(self, url: URL) -> _Answer:
        for _ in range(REDIRECTS + 1):
            async with open_client(self._reach, self._lookup) as client:
                asked = client.get(url, headers=_HEADERS, allow_redirects=False, timeout=aiohttp.ClientTimeout())
                async with asked as response:
                    location = response.headers.get("Location")
                    if response.status not in {301, 302, 303, 307, 308} or location is None:
                        return await _receive(url, response)
                    url = urls.join(url, location)
        raise ToolError(f"{url.host}: more than {REDIRECTS} redirects; the last one leads to {url}")


async def _receive(url: URL, response: aiohttp.ClientResponse) -> _Answer:
    kind = response.content_type
    if not 200 <= response.status < 300:
        raise ToolError(f"{url} answered {response.status} {response.reason or ''}".rstrip())
    if not (kind in _MARKUP or kind.startswith(_TEXTS) or kind.endswith(("+json", "+xml"))):
        raise ToolError(f"{url} is {kind}, which is no text")
    body = Body(response.headers.get("Content-Encoding", ""), MAX_BYTES)
    async for piece in response.content.iter_chunked(_PIECE):
        if not body.add(piece):
            break
    logger.info("read %d bytes from %s", len(body.content), url.host, extra={"host": url.host})
    return _Answer(url=url, kind=kind, charset=response.charset, body=body)


async def _read(answer: _Answer) -> Page:
    if answer.kind in _MARKUP:
        text = await convert(answer.body.content, charset=answer.charset, url=str(answer.url))
    else:
        text = Text(title="", text=answer.body.content.decode(_known(answer.charset), "replace"))
    notes = [f"only the first {MAX_BYTES:,} bytes were read"] if answer.body.cut else []
    return Page(url=str(answer.url), title=text.title, text=text.text, notes=(*notes, *text.notes))


def _known(charset: str | None) -> str:
    try:
        return codecs.lookup(charset or "utf-8").name
    except LookupError:
        return "utf-8"


def _reason(exc: Exception) -> str:
    match exc:
        case aiohttp.ClientConnectorCertificateError():
            return "its certificate is not valid"
        case aiohttp.ClientSSLError():
            return "no secure connection could be made"
        case aiohttp.ClientConnectorError():
            return f"no connection ({exc.os_error.strerror or type(exc.os_error).__name__})"
        case aiohttp.ServerDisconnectedError():
            return "it hung up"
        case aiohttp.ClientResponseError() | aiohttp.ClientPayloadError():
            return "its answer is broken"
        case _:
            return type(exc).__name__
