"""Calls of the Telegram Bot API (https://core.telegram.org/bots/api).

Promises that whatever goes wrong is an error which says what may be done next, and that the token, which is part of
every address, is in none of them. Knows no message.
"""

import json
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote

import httpx2

from picklebot.channels.base import SentFile
from picklebot.errors import ChannelError, ChannelUnavailable, DeliveryRejected

OK, BUSY, TROUBLED = 200, 429, 500
SECONDS = 20.0  #: for a call that does not wait on purpose
MAX_ANSWER = 16 << 20  #: bytes of one answer; a hundred updates are far below
_POOL = httpx2.Limits(max_connections=64, max_keepalive_connections=16)


class Refused(DeliveryRejected):
    """Telegram will never take this call; `moved_to` is where the chat went, if that is why."""

    def __init__(self, message: str, *, moved_to: str | None = None) -> None:
        super().__init__(message)
        self.moved_to = moved_to


class BotApi:
    """One bot."""

    def __init__(self, token: str, base_url: str) -> None:
        self.bot_id = token.partition(":")[0]
        self._base, self._token = base_url.rstrip("/"), quote(token, safe=":")
        self._client: httpx2.AsyncClient | None = None

    async def aclose(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    async def call(self, method: str, *, seconds: float = SECONDS, **fields: Any) -> Any:
        """Return the result of a method.

        Raises:
            ChannelUnavailable: Telegram is busy or cannot be reached, or does not take the token now.
            Refused: it will never do this.
        """
        sent = {name: value for name, value in fields.items() if value is not None}
        return await self._post(method, seconds, json=sent)

    async def upload(self, method: str, field: str, file: SentFile, **fields: Any) -> Any:
        """Return the result of a method that takes a file.

        Raises:
            ChannelUnavailable: as for `call`.
            Refused: as for `call`.
        """
        sent = {name: _form(value) for name, value in fields.items() if value is not None}
        return await self._post(method, SECONDS * 3, data=sent, files={field: (file.name, file.content)})

    async def download(self, file_id: str, most: int) -> bytes:
        """Return the bytes of a file, at most one more than `most`.

        Raises:
            ChannelError: it cannot be had.
        """
        described = await self.call("getFile", file_id=file_id)
        path = str(_mapping(described).get("file_path", ""))
        if not path or path.startswith("/"):
            raise ChannelError("Telegram does not say where the file is")
        content = bytearray()
        try:
            async with self._http().stream("GET", f"{self._base}/file/bot{self._token}/{quote(path)}") as response:
                if response.status_code != OK:
                    passes = response.status_code == BUSY or response.status_code >= TROUBLED
                    kind = ChannelUnavailable if passes else ChannelError
                    raise kind(f"Telegram answered {response.status_code} instead of the file")
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > most:
                        break
        except httpx2.HTTPError as exc:
            raise ChannelUnavailable(f"the file did not come through: {_words(exc)}") from exc
        return bytes(content[: most + 1])

    def _http(self) -> httpx2.AsyncClient:
        if self._client is None:
            self._client = httpx2.AsyncClient(timeout=SECONDS, limits=_POOL, follow_redirects=False)
        return self._client

    async def _post(self, method: str, seconds: float, **body: Any) -> Any:
        address = f"{self._base}/bot{self._token}/{method}"
        content = bytearray()
        try:
            async with self._http().stream("POST", address, timeout=seconds, **body) as response:
                async for piece in response.aiter_bytes():
                    content += piece
                    if len(content) > MAX_ANSWER:
                        raise ChannelUnavailable(f"{method}: the answer is larger than {MAX_ANSWER:,} bytes")
        except httpx2.HTTPError as exc:
            lost = not isinstance(exc, httpx2.ConnectError | httpx2.ConnectTimeout | httpx2.PoolTimeout)
            raise ChannelUnavailable(f"{method}: {_words(exc)}", unknown=lost) from exc
        return _result(method, response.status_code, bytes(content))


def _result(method: str, status: int, content: bytes) -> Any:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        answer = None
    told = _mapping(answer)
    if told.get("ok") is True:
        return told.get("result")
    code = told.get("error_code", status)
    reason = str(told.get("description") or f"it answered {status} with {len(content)} bytes that are no answer")[:300]
    parameters = _mapping(told.get("parameters"))
    match code:
        case 429:
            asked = parameters.get("retry_after")
            seconds = float(asked) if isinstance(asked, int | float) and asked >= 0 else None
            raise ChannelUnavailable(f"{method}: {reason}", retry_after=seconds)
        case 400 | 403 | 413:
            moved = parameters.get("migrate_to_chat_id")
            raise Refused(f"Telegram refuses it: {reason}", moved_to=str(moved) if moved else None)
        case 401 | 404:
            raise ChannelUnavailable(
                f"Telegram does not know this bot's token ({reason}): ask @BotFather for a new one"
            )
        case 409:
            raise ChannelUnavailable(f"another program fetches this bot's messages: stop it, or its webhook ({reason})")
        case _:
            raise ChannelUnavailable(f"{method}: {reason}", unknown=True)


def _mapping(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, dict) else {}


def _form(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _words(exc: httpx2.HTTPError) -> str:
    """Return what went wrong, without the address that it went wrong at."""
    match exc:
        case httpx2.ConnectError() | httpx2.ConnectTimeout():
            return "Telegram cannot be reached"
        case httpx2.TimeoutException():
            return "Telegram did not answer in time"
        case _:
            return f"the connection to Telegram broke ({type(exc).__name__})"
