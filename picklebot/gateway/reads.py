"""What can be read: how things stand, and the log.

Promises that a read changes nothing, and that each answer is bounded. Knows no SQL.
"""

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from picklebot.gateway.endpoint import Access, Endpoint, Given, query_of
from picklebot.gateway.refusals import Refused, reply
from picklebot.gateway.shown import Ok, StandingShown
from picklebot.shapes import event_json
from picklebot.store.base import Log

MOST_EVENTS = 500  #: in one answer

StandingJson: TypeAlias = Callable[[], Awaitable[dict[str, Any]]]


class After(Given):
    """Where to go on."""

    after: int = Field(default=0, ge=0, lt=1 << 63, description="Events with a greater seq.")
    session: str | None = Field(default=None, max_length=64, description="Only those of this session.")
    limit: int = Field(default=MOST_EVENTS, ge=1, le=MOST_EVENTS)


class Numbered(BaseModel):
    """An event and its place in the log."""

    seq: int
    event: dict[str, Any]


class Events(BaseModel):
    """A page of the log. `last` is where to go on from."""

    events: list[Numbered]
    last: int


class Health:
    """Whether the process is alive, and whether it can do its work."""

    def __init__(self, hindrance: Callable[[], Awaitable[str | None]]) -> None:
        """`hindrance`: why no messages are taken, if none are."""
        self._hindrance = hindrance

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/healthz",
                answer=self._alive,
                summary="Whether the process answers. Says nothing else.",
                access=Access.OPEN,
                shape=Ok,
            ),
            Endpoint(
                method="GET",
                path="/readyz",
                answer=self._can_work,
                summary="Whether messages are taken: 200, or 503 while the daemon stops, its disk is full or its store fails.",
                shape=Ok,
            ),
        ]

    async def _alive(self, request: Request) -> Response:
        return reply({"status": "ok"})

    async def _can_work(self, request: Request) -> Response:
        if (hindrance := await self._hindrance()) is not None:
            raise Refused(503, "not_ready", hindrance, headers={"Retry-After": "5"})
        return reply({"status": "ready"})


class Reads:
    """The reading half of the API."""

    def __init__(self, *, standing: StandingJson, log: Log) -> None:
        self._standing = standing
        self._log = log

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/status",
                answer=self._status,
                summary="How things stand.",
                shape=StandingShown,
            ),
            Endpoint(
                method="GET",
                path="/api/events",
                answer=self._events,
                summary="Durable events in order, a page at a time.",
                query=After,
                shape=Events,
            ),
        ]

    async def _status(self, request: Request) -> Response:
        return reply(await self._standing())

    async def _events(self, request: Request) -> Response:
        query = query_of(request, After)
        page = await self._log.after(query.after, session_id=query.session, limit=query.limit)
        shown = [{"seq": seq, "event": event_json(event)} for seq, event in page]
        last = page[-1][0] if page else query.after
        return reply({"events": shown, "last": last})
