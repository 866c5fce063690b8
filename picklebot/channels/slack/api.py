"""Calls of Slack's Web API (https://docs.slack.dev/reference/methods), made by slack_sdk.

Promises that whatever goes wrong is an error which says what may be done next, that no call is made again in silence,
and that the tokens go to Slack alone and are in no error. Knows no message.
"""

import asyncio
import logging
from collections.abc import Awaitable, Mapping
from typing import Any, cast
from urllib.parse import urljoin, urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from picklebot.channels.slack.fields import Fields, as_fields
from picklebot.errors import ChannelError, ChannelUnavailable, DeliveryRejected
from picklebot.settings.values import is_loopback

SECONDS = 30.0  #: for one call
MAX_ANSWER = 16 << 20  #: bytes of one answer; a page of messages is far below
MAX_FRAME = 4 << 20  #: bytes of one thing that comes over the socket
HEARTBEAT = 20.0  #: seconds between two signs of life on it
CLOSES = 2.0  #: seconds that the other side may take to close it
REDIRECTS = 3  #: times that Slack may say that a file is elsewhere
_OK, _BUSY, _TROUBLE = 200, 429, 500
_ELSEWHERE = frozenset({301, 302, 303, 307, 308})
_TOKENS = {
    "invalid_auth": "Slack does not know this token",
    "not_authed": "Slack does not know this token",
    "token_revoked": "the token was revoked",
    "token_expired": "the token has expired",
    "not_allowed_token_type": "this is the other kind of token: the bot's begins with xoxb-, the app's with xapp-",
}
_PASSING = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"})
_FINAL = {
    "account_inactive": "the app was removed from the workspace, or the workspace is gone",
    "channel_not_found": "there is no such conversation, or the app was not invited into it",
    "is_archived": "the channel is archived",
    "not_in_channel": "the app is not in the channel: /invite it",
    "messages_tab_disabled": "its Messages tab is off: turn it on under App Home",
}
_quiet = logging.getLogger("picklebot.slack_sdk")
_quiet.setLevel(logging.WARNING)  # it would spell out each call to decide whether to log it


class Refused(DeliveryRejected):
    """Slack will never do this; `code` is what it calls the reason."""

    def __init__(self, message: str, *, code: str) -> None:
        super().__init__(message)
        self.code = code


class SlackApi:
    """One app in one workspace."""

    def __init__(self, token: str, app_token: str, base_url: str) -> None:
        self._token, self._app_token = token, app_token
        self._base = f"{base_url}/"
        self._session: aiohttp.ClientSession | None = None
        self._web: Any = None  # slack_sdk says of its types less than would help

    async def aclose(self) -> None:
        """Close every connection."""
        session, self._session, self._web = self._session, None, None
        if session is not None:
            await session.close()

    @property
    def web(self) -> Any:
        """The `AsyncWebClient`, for `call`."""
        if self._web is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=SECONDS), response_class=_Bounded, auto_decompress=True
            )
            # Its own retries would send a message twice when the answer to the first is lost.
            self._web = AsyncWebClient(
                self._token, base_url=self._base, session=self._session, retry_handlers=[], logger=_quiet
            )
        return self._web

    async def call(self, made: Awaitable[Any]) -> Fields:
        """Return what a call of `web` answers.

        Raises:
            ChannelUnavailable: Slack is busy or cannot be reached, or does not take the token now.
            Refused: it will never do this.
        """
        return (await self.answer(made))[0]

    async def answer(self, made: Awaitable[Any]) -> tuple[Fields, Mapping[str, str]]:
        """Return what a call answers, with the headers.

        Raises:
            ChannelError: as for `call`.
        """
        try:
            answer = await made
        except SlackApiError as exc:
            raise _refusal(exc) from None  # it shows all that was sent
        except (aiohttp.ClientError, OSError, TimeoutError, SlackClientError) as exc:
            raise _broken(exc) from exc
        except (AttributeError, TypeError, ValueError) as exc:  # an answer that slack_sdk cannot read
            raise ChannelUnavailable("Slack gave an answer that is none", unknown=True) from exc
        return as_fields(answer.data), cast("Mapping[str, str]", answer.headers)

    async def socket(self) -> aiohttp.ClientWebSocketResponse:
        """Return a fresh connection over which Slack says what happens.

        Raises:
            ChannelUnavailable: there is none to be had.
        """
        opened = await self.call(self.web.apps_connections_open(app_token=self._app_token))
        url = str(opened.get("url", ""))
        if not self._is_safe(url, "wss"):
            raise ChannelUnavailable("Slack names no address to listen at")
        web = self.web
        assert self._session is not None
        try:
            return await self._session.ws_connect(
                url,
                heartbeat=HEARTBEAT,
                max_msg_size=MAX_FRAME,
                timeout=aiohttp.ClientWSTimeout(ws_close=CLOSES),  # pyright: ignore[reportCallIssue]  # attrs makes it
                proxy=web.proxy,
            )
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise _broken(exc) from exc

    async def upload(self, url: str, content: bytes) -> None:
        """Send the bytes of a file to where Slack wants them.

        Raises:
            ChannelUnavailable: they did not get there.
        """
        if not self._is_safe(url, "https"):
            raise ChannelUnavailable("Slack names no address to send a file to")
        web = self.web
        assert self._session is not None
        try:
            async with self._session.post(url, data=content, allow_redirects=False, proxy=web.proxy) as response:
                if response.status != _OK:
                    raise ChannelUnavailable(f"Slack answered {response.status} to a file")
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise _broken(exc) from exc

    async def download(self, url: str, most: int, *, page: bool) -> bytes:
        """Return the bytes of a file, at most one more than `most`; `page`: it may be HTML.

        Raises:
            ChannelError: it cannot be had.
        """
        for _ in range(REDIRECTS):
            found = await self._fetch(url, most, page=page)
            if isinstance(found, bytes):
                return found
            url = urljoin(url, found)
        raise ChannelError("Slack sends us on and on for it")

    async def _fetch(self, url: str, most: int, *, page: bool) -> bytes | str:
        """Return the bytes of a file, or where it is instead."""
        if not self._is_safe(url, "https"):
            raise ChannelError("it is not kept at Slack")
        content, web = bytearray(), self.web
        assert self._session is not None
        headers = {"Authorization": f"Bearer {self._token}"}
        try:
            async with self._session.get(url, headers=headers, allow_redirects=False, proxy=web.proxy) as response:
                if response.status in _ELSEWHERE and (where := response.headers.get("Location")):
                    return where
                if response.status != _OK:
                    raise ChannelError(f"Slack answered {response.status} instead of the file")
                if response.content_type == "text/html" and not page:
                    raise ChannelError("Slack asks to log in for it: the app lacks the scope files:read")
                async for piece in response.content.iter_chunked(1 << 16):
                    content += piece
                    if len(content) > most:
                        break
        except (aiohttp.ClientError, OSError, TimeoutError) as exc:
            raise ChannelUnavailable(f"the file did not come through ({type(exc).__name__})") from exc
        return bytes(content[: most + 1])

    def _is_safe(self, url: str, scheme: str) -> bool:
        """Return whether an address is Slack's: nobody else is given a token or a file."""
        found, base = urlsplit(url), urlsplit(self._base)
        host = found.hostname or ""
        if is_loopback(base.hostname or "") and base.scheme == "http":
            return host == base.hostname
        ours = (base.hostname or "").removeprefix("www.")
        return found.scheme == scheme and (host == ours or host.endswith(f".{ours}"))


class _Bounded(aiohttp.ClientResponse):
    """An answer of bounded size."""

    async def read(self) -> bytes:
        """Return it whole.

        Raises:
            aiohttp.ClientPayloadError: it is too large.
        """
        if self._body is None:
            content = bytearray()
            async for piece in self.content.iter_chunked(1 << 16):
                content += piece
                if len(content) > MAX_ANSWER:
                    self.close()
                    raise aiohttp.ClientPayloadError(f"the answer is larger than {MAX_ANSWER:,} bytes")
            self._body = bytes(content)
        return self._body


def _broken(exc: Exception) -> ChannelUnavailable:
    match exc:
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return ChannelUnavailable("Slack cannot be reached")
        case asyncio.TimeoutError():
            return ChannelUnavailable("Slack did not answer in time", unknown=True)
        case aiohttp.WSServerHandshakeError():
            return ChannelUnavailable(f"Slack does not let us listen ({exc.status})")
        case _:
            return ChannelUnavailable(f"the connection to Slack broke ({type(exc).__name__})", unknown=True)


def _refusal(exc: SlackApiError) -> ChannelError:
    """Return what an answer that is an error means."""
    response = cast("Any", exc.response)
    told = as_fields(getattr(response, "data", None))
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0))
    code = str(told.get("error") or "")[:100]
    if status == _BUSY or code in {"ratelimited", "rate_limited"}:
        asked = str(response.headers.get("Retry-After", ""))
        return ChannelUnavailable("Slack asks to wait", retry_after=float(asked) if asked.isdecimal() else None)
    if code in _TOKENS:
        return ChannelUnavailable(f"{_TOKENS[code]} ({code}): take it from https://api.slack.com/apps")
    if code == "missing_scope":
        return ChannelUnavailable(f"the app lacks the scope {told.get('needed')}: add it and install the app again")
    if not code or code in _PASSING or status >= _TROUBLE:
        return ChannelUnavailable(f"Slack has trouble ({code or status})", unknown=True)
    return Refused(f"Slack refuses it: {_FINAL.get(code, 'it says')} ({code})", code=code)
