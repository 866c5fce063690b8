"""What a route is: one value from which come the router, the guard's exceptions and the description of the API.

To add routes, make a sequence of `Endpoint`s (a handler takes a starlette `Request` and returns a `Response`; `reply`
makes JSON, `raise Refused(...)` and every `PicklebotError` become the JSON of an error) and give it to
`wiring/gateway.py` with the others. Knows no handler.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal, TypeAlias, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from picklebot.gateway.refusals import Refused, mistakes_in

Answer: TypeAlias = Callable[[Request], Awaitable[Response]]
M = TypeVar("M", bound=BaseModel)

MAX_BODY = 1_000_000  #: bytes of one request
BODY_SECONDS = 30.0  #: within which the whole body has to arrive


class Access(Enum):
    """Who may call a route."""

    HOLDER = "holder"  #: the bearer of the token, or of a login's cookie
    BEARER = "bearer"  #: the bearer of the token only
    OPEN = "open"  #: anybody
    OWN = "own"  #: the handler checks a secret of its own, the body's kind and its size


class Given(BaseModel):
    """The base of what a request may bring: nothing else is let in."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_max_length=MAX_BODY)


class NoQuery(Given):
    """A request without parameters."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One method of one path. `shape` is what a success looks like; None: it is no JSON."""

    method: Literal["GET", "POST"]
    path: str
    answer: Answer
    summary: str
    access: Access = Access.HOLDER
    query: type[Given] = NoQuery
    body: type[Given] | None = None
    shape: type[BaseModel] | None = None
    status: int = 200
    also: Mapping[int, str] = field(default_factory=dict[int, str])
    """Further statuses that are told of, beside those that every route has."""
    media: str = "application/json"
    keyed: bool = False
    """Whether it takes an Idempotency-Key."""
    tag: str = "api"


def query_of(request: Request, kind: type[M]) -> M:
    """Return the parameters of a request.

    Raises:
        Refused: there is one that is unknown, repeated or wrong.
    """
    given = request.query_params.multi_items()
    names = [name for name, _ in given]
    if repeated := next((name for name in names if names.count(name) > 1), None):
        raise Refused(400, "bad_request", f"{repeated[:64]}: given more than once")
    try:
        return kind.model_validate(dict(given))
    except ValidationError as exc:
        raise mistakes_in(exc) from exc


async def body_of(request: Request, kind: type[M]) -> M:
    """Return the body of a request.

    Raises:
        Refused: it is no JSON, or not what it should be.
    """
    raw = await request.body()
    try:
        # Not pydantic's own parser: lone surrogates and big numbers are for the kind to judge, in its words.
        found: Any = json.loads(raw) if len(raw) < _SMALL else await asyncio.to_thread(json.loads, raw)
    except (ValueError, RecursionError) as exc:
        raise Refused(400, "bad_request", "the body is no JSON") from exc
    try:
        return kind.model_validate(found)
    except ValidationError as exc:
        raise mistakes_in(exc) from exc


_SMALL = 100_000  #: bytes of JSON that are read in the loop
