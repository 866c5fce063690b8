"""`GET /api/flow`: who is being answered, who waits for what, and what is not delivered yet.

Promises an answer that is bounded, however much waits. Knows no SQL.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Protocol

from pydantic import BaseModel, Field
from starlette.requests import Request
from starlette.responses import Response

from picklebot.gateway.endpoint import Endpoint, Given, query_of
from picklebot.gateway.refusals import reply
from picklebot.shapes import reply_json
from picklebot.store.base import Counts, Log
from picklebot.store.queues import OnItsWay, SessionQueue
from picklebot.store.turn_reports import ReplyReport

MOST = 200  #: messages, and replies, in one answer


class HowMany(Given):
    """How much of it."""

    limit: int = Field(default=MOST, ge=1, le=MOST, description="Messages, and replies, at most.")


class Flow(BaseModel):
    """What moves. `last` is the seq up to which the log was read: events after it are not in this picture."""

    last: int
    counts: dict[str, int]
    sessions: list[dict[str, Any]]
    undelivered: list[dict[str, Any]]


class Queues(Protocol):
    """Knows what is on its way."""

    async def sessions(self, limit: int) -> Sequence[SessionQueue]:
        """Return what is open, at most `limit` messages, the oldest first."""
        ...

    async def undelivered(self, limit: int) -> Sequence[ReplyReport]:
        """Return replies that are on their way, at most `limit`, the oldest first."""
        ...


class Sums(Protocol):
    """Counts."""

    async def counts(self) -> Counts:
        """Count everything that was ever accepted, by where it is now."""
        ...


class FlowReads:
    """The live picture of the page."""

    def __init__(self, *, queues: Queues, sums: Sums, log: Log) -> None:
        self._queues = queues
        self._sums = sums
        self._log = log

    def endpoints(self) -> list[Endpoint]:
        """Return the route."""
        return [
            Endpoint(
                method="GET",
                path="/api/flow",
                answer=self._flow,
                summary="Who is being answered, who waits for what, and what is not delivered yet.",
                query=HowMany,
                shape=Flow,
            )
        ]

    async def _flow(self, request: Request) -> Response:
        limit = query_of(request, HowMany).limit
        last, counts = await self._log.last(), await self._sums.counts()
        return reply(
            {
                "last": last,
                "counts": {
                    "open": counts.open,
                    "running": counts.running,
                    "undelivered": counts.undelivered,
                    "dead": counts.dead + counts.dead_replies,
                },
                "sessions": [_queue_json(queue) for queue in await self._queues.sessions(limit)],
                "undelivered": [reply_json(each) for each in await self._queues.undelivered(limit)],
            }
        )


def _queue_json(queue: SessionQueue) -> dict[str, Any]:
    return {
        "session_id": queue.session_id,
        "agent": queue.agent_id,
        "source": str(queue.source),
        "messages": [_message_json(message) for message in queue.messages],
    }


def _message_json(message: OnItsWay) -> dict[str, Any]:
    return {
        "event_id": message.event_id,
        "state": message.state,
        "content": message.content,
        "since": message.since.isoformat(),
        "until": _spelled(message.until),
        "why": message.why,
        "tools": list(message.tools),
    }


def _spelled(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
