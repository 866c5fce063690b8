"""What the gateway says when it refuses: `{"error": {"code", "message"}}` and the status that goes with it.

Promises one shape for every 4xx and 5xx, but for a browser that goes somewhere, which gets the same words as a page;
and that the class of an error alone decides its status. Knows no route.
"""

import asyncio
import json
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from pydantic import ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from picklebot.core.text import shorten
from picklebot.errors import (
    ChannelError,
    NotFound,
    PicklebotError,
    QueueFull,
    StoreError,
    StoreFull,
    Taken,
    ToolError,
    Transient,
)
from picklebot.gateway.plain import goes_somewhere, refusal_page

_SHOWN = 300  #: characters of a value that are said back


class Refused(PicklebotError):
    """A request that is answered with an error. `code` is for programs, the message for people."""

    def __init__(self, status: int, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.headers = dict(headers or {})


def refusal_of(exc: PicklebotError) -> Refused:
    """Return what an error is on the wire."""
    match exc:
        case Refused():
            return exc
        case NotFound():
            return Refused(404, "not_found", str(exc))
        case QueueFull():
            return Refused(429, "queue_full", str(exc), headers=_again(exc, 5.0))
        case StoreFull():
            return Refused(503, "no_room", str(exc), headers=_again(exc, 30.0))
        case StoreError():
            return Refused(503, "stopping", "the store failed, and the daemon stops")
        case Taken() | ToolError():
            return Refused(409, "conflict", str(exc))
        case ChannelError():
            return Refused(422, "unacceptable", str(exc))
        case Transient():
            return Refused(503, "try_again", str(exc), headers=_again(exc, 5.0))
        case _:
            return Refused(400, "refused", str(exc))


def mistakes_in(exc: ValidationError) -> Refused:
    """Return what is wrong with something that was sent, at most three of its mistakes."""
    told = [f"{'.'.join(map(str, each['loc'])) or 'the body'}: {each['msg']}" for each in exc.errors()[:3]]
    return Refused(400, "bad_request", shorten("; ".join(told), _SHOWN))


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return JSON, which no cache keeps."""
    return _response(_written(body), status, headers)


async def reply_large(body: Callable[[], Any]) -> Response:
    """Return JSON that may take a while to be made and written down, both off the loop."""
    return _response(await asyncio.to_thread(lambda: _written(body())), 200, None)


def _written(body: Any) -> bytes:
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8", "replace")


def _response(written: bytes, status: int, headers: Mapping[str, str] | None) -> Response:
    fixed = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    return Response(written, status, {**fixed, **(headers or {})}, media_type="application/json")


def refuse(refused: Refused, *, to_browser: bool = False) -> Response:
    """Return a refusal as a response: JSON, or a page for a browser that goes somewhere."""
    if to_browser:
        return refusal_page(refused.status, refused.code, str(refused), refused.headers)
    return reply({"error": {"code": refused.code, "message": str(refused)}}, refused.status, refused.headers)


async def on_error(request: Request, exc: Exception) -> Response:
    """Answer whatever came out of a handler. A bug is answered with 500, without its words, and then logged above."""
    return refuse(_refused(request, exc), to_browser=goes_somewhere(request.method, request.headers.getlist("accept")))


def _refused(request: Request, exc: Exception) -> Refused:
    match exc:
        case PicklebotError():
            return refusal_of(exc)
        case HTTPException():
            status = HTTPStatus(exc.status_code)
            code = status.phrase.lower().replace(" ", "_")
            return Refused(exc.status_code, code, _explained(request, exc.status_code), headers=exc.headers)
        case _:
            return Refused(500, "internal", "this is a bug of picklebot: its log has the traceback")


def _explained(request: Request, status: int) -> str:
    path = shorten(request.url.path, 100)
    match status:
        case 404:
            return f"there is nothing at {path}"
        case 405:
            return f"{path} does not take {request.method}"
        case _:
            return HTTPStatus(status).description or HTTPStatus(status).phrase


def _again(exc: Transient, default: float) -> dict[str, str]:
    return {"Retry-After": str(max(1, round(exc.retry_after or default)))}
