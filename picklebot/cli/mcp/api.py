"""The gateway of whichever daemon there is, as one place that answers.

Promises that what may be asked twice is asked again when the daemon dies in the middle, and what may not ends in words
that say so. Knows no tool.
"""

import asyncio
from collections.abc import Mapping
from typing import Any

import httpx2

from picklebot.cli.mcp.home import Home
from picklebot.errors import ChannelUnavailable, NotFound, PicklebotError

ANSWER_SECONDS = 30.0  #: beside what the daemon was asked to wait
PATIENCE = 60.0  #: seconds within which a daemon that died has to answer again
PAUSE = 0.2
_MISSING, _BUSY = 404, 503


def open_client() -> httpx2.AsyncClient:
    """Return what makes the calls; it is closed by whoever made it."""
    return httpx2.AsyncClient(trust_env=False, timeout=ANSWER_SECONDS, follow_redirects=False)


class Api:
    """Calls the daemon of `home`."""

    def __init__(self, home: Home, client: httpx2.AsyncClient) -> None:
        self.home = home
        self._client = client

    async def get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        """Ask for something.

        Raises:
            PicklebotError: the daemon says no, or there is none.
        """
        return await self._send("GET", path, query=query)

    async def post(
        self, path: str, body: Mapping[str, Any] | None = None, *, key: str | None = None, wait: float = 0.0
    ) -> Any:
        """Let something be done that is done once however often it is sent, such as what has a `key`.

        Raises:
            PicklebotError: the daemon says no, or there is none.
        """
        query = {"wait": wait} if wait else {}
        return await self._send("POST", path, body=body or {}, key=key, query=query)

    async def post_once(self, path: str) -> Any:
        """Let something be done that would be done again if it were sent again.

        Raises:
            ChannelUnavailable: nobody knows whether it was done.
            PicklebotError: the daemon says no, or there is none.
        """
        try:
            return await self._try("POST", path, body={})
        except httpx2.TransportError as exc:
            raise ChannelUnavailable(
                "UNKNOWN: the daemon was lost in the middle. It may or may not have happened: look before you do it again"
            ) from exc

    async def _send(self, method: str, path: str, **given: Any) -> Any:
        loop = asyncio.get_running_loop()
        until = loop.time() + PATIENCE
        while True:
            try:
                return await self._try(method, path, **given)
            except (httpx2.TransportError, _Stopping) as exc:
                if loop.time() > until:
                    raise ChannelUnavailable(f"the daemon does not answer ({str(exc) or type(exc).__name__})") from exc
            await asyncio.sleep(PAUSE)

    async def _try(
        self,
        method: str,
        path: str,
        *,
        body: Any = None,
        key: str | None = None,
        query: Mapping[str, Any] | None = None,
    ) -> Any:
        url, token = await self.home.find()
        headers = {"Authorization": f"Bearer {token}", **({"Idempotency-Key": key} if key else {})}
        seconds = ANSWER_SECONDS + float((query or {}).get("wait", 0.0))
        answer = await self._client.request(
            method, url.rstrip("/") + path, params=query, json=body, headers=headers, timeout=seconds
        )
        if answer.status_code == _BUSY:
            raise _Stopping(_words(answer))
        if answer.is_error:
            raise (NotFound if answer.status_code == _MISSING else PicklebotError)(_words(answer))
        return answer.json()


class _Stopping(PicklebotError):
    """The daemon is there, and cannot just now."""


def _words(answer: httpx2.Response) -> str:
    try:
        return str(answer.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return f"the daemon answered {answer.status_code}"
