"""The guard before every route: right name, right page, right person, right size.

Promises that nothing behind it is reached otherwise, WebSockets and unknown paths included, and that each of its
refusals says the same whatever lies behind. It looks at headers alone, and believes none that a proxy adds. Knows no
route but by the table of those that are open.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.routing import compile_path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from picklebot.gateway.endpoint import BODY_SECONDS, MAX_BODY, Access, Endpoint
from picklebot.gateway.names import Names
from picklebot.gateway.plain import goes_somewhere
from picklebot.gateway.refusals import Refused, refuse

#: Bytes of a body that is too large which are read and thrown away, because whoever is cut off while it sends does not
#: hear why.
DRAINED = 8 * MAX_BODY
_READING = frozenset({"GET", "HEAD"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a request is from: the bearer of the token, or (`browser`) of a login's cookie."""

    browser: bool


class Gatekeeper(Protocol):
    """Knows who may come in."""

    def admit(self, headers: Mapping[str, Sequence[str]], address: str) -> Caller:
        """Return who asks.

        Raises:
            Refused: nobody who is known.
        """
        ...


class Guard:
    """An ASGI application around another one."""

    def __init__(self, app: ASGIApp, *, names: Names, keeper: Gatekeeper, endpoints: Sequence[Endpoint]) -> None:
        self._app = app
        self._names = names
        self._keeper = keeper
        self._special = [
            (compile_path(each.path)[0], each.method, each.access)
            for each in endpoints
            if each.access is not Access.HOLDER
        ]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it."""
        access = self._access(scope)
        limited = scope["type"] == "http" and access is not Access.OWN
        try:
            self._check(scope, access)
        except Refused as exc:
            await _answer(exc, scope, receive, send)
        else:
            await self._app(scope, _Limited(receive) if limited else receive, send)

    def _access(self, scope: Scope) -> Access:
        if scope["type"] == "http":
            path, method = scope["path"], "GET" if scope["method"] == "HEAD" else scope["method"]
            for pattern, wanted, access in self._special:
                if wanted == method and pattern.match(path):
                    return access
        return Access.HOLDER

    def _check(self, scope: Scope, access: Access) -> None:
        headers = _headers(scope)
        server = scope.get("server")
        host = self._names.check_host(headers.get("host", ()), server[0] if server else None)
        same_origin = self._names.check_origin(headers.get("origin", ()), host)
        if access in {Access.OPEN, Access.OWN}:
            return
        client = scope.get("client")
        caller = self._keeper.admit(headers, client[0] if client else "")
        if access is Access.BEARER and caller.browser:
            raise Refused(403, "bearer_only", "this takes the token itself, not a login")
        if scope["type"] == "websocket" or scope["method"] not in _READING:
            _check_change(scope, headers, caller, same_origin=same_origin)
        scope.setdefault("state", {})["caller"] = caller


def _check_change(scope: Scope, headers: Mapping[str, Sequence[str]], caller: Caller, *, same_origin: bool) -> None:
    """What changes something comes from a program, or from a page of ours, in JSON: no form of another page's."""
    if caller.browser and not same_origin:
        raise Refused(403, "foreign_origin", "a browser has to say that this page is ours, by Origin")
    if scope["type"] == "websocket":
        return
    kinds = headers.get("content-type", ())
    sizes = headers.get("content-length", ())
    empty = "transfer-encoding" not in headers and all(size == "0" for size in sizes)
    if not (empty and not kinds and not caller.browser) and [_essence(kind) for kind in kinds] != ["application/json"]:
        raise Refused(415, "json_only", "send Content-Type: application/json")
    if any(size.isdigit() and int(size) > DRAINED for size in sizes):
        raise _too_large()


def _essence(kind: str) -> str:
    return kind.partition(";")[0].strip().lower()


def _too_large() -> Refused:
    return Refused(413, "too_large", f"a request has at most {MAX_BODY:,} bytes", headers={"Connection": "close"})


def _headers(scope: Scope) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


class _Limited:
    """Receives a body, as long as it is neither too large nor too slow."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._size = 0
        self._whole = False
        self._until = asyncio.get_running_loop().time() + BODY_SECONDS

    async def __call__(self) -> Message:
        if self._whole:  # what is waited for now is that the client hangs up
            return await self._receive()
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError as exc:
            why = f"the body did not arrive within {BODY_SECONDS:.0f} s"
            raise Refused(408, "too_slow", why, headers={"Connection": "close"}) from exc
        self._size += len(message.get("body", b""))
        self._whole = not message.get("more_body", False)
        if self._size > DRAINED or (self._whole and self._size > MAX_BODY):
            raise _too_large()
        return message if self._size <= MAX_BODY else {**message, "body": b""}


async def _answer(refused: Refused, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "http":
        accept = _headers(scope).get("accept", ())
        response = refuse(refused, to_browser=goes_somewhere(scope["method"], accept))
        await response(scope, receive, send)
        return
    response = refuse(refused)
    head: dict[str, Any] = {"status": response.status_code, "headers": response.raw_headers}
    await receive()  # the connect
    await send({"type": "websocket.http.response.start", **head})
    await send({"type": "websocket.http.response.body", "body": response.body})
