"""What the store remembers, to be read: conversations, replies on their way, what was set aside, spend, and why.

Promises bounded answers, and that a large one is written down off the loop. Knows no SQL.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Literal, Protocol

from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from picklebot.core.source import Source
from picklebot.errors import ChannelError
from picklebot.gateway import shown
from picklebot.gateway.endpoint import Endpoint, Given, query_of
from picklebot.gateway.refusals import reply, reply_large
from picklebot.shapes import letter_json, reply_json, session_json, spend_json, turn_json
from picklebot.store.base import Heading, Sessions, Spend, total
from picklebot.store.letters import DeadLetters
from picklebot.store.reports import TurnReport
from picklebot.store.turn_reports import ReplyReport

MOST = 500  #: rows in one answer


class SessionQuery(Given):
    """Which conversations."""

    source: str | None = Field(default=None, max_length=256, description="Those of this source only.")
    limit: int = Field(default=50, ge=1, le=MOST)


class SessionDepth(Given):
    """How much of a conversation."""

    turns: int = Field(default=50, ge=0, le=MOST, description="How many of the last turns, with every step.")


class DeliveryQuery(Given):
    """Which replies."""

    state: Literal["pending", "sending", "acked", "dead", "dropped"] | None = Field(
        default=None, description="Where they are; without it those that are not delivered yet."
    )
    limit: int = Field(default=100, ge=1, le=MOST)


class UsageQuery(Given):
    """How spend is summed."""

    by: Heading = "day"


class Reports(Protocol):
    """Tells of turns and replies."""

    async def turns(self, session_id: str) -> Sequence[TurnReport]:
        """Return every message that a session accepted, oldest first, with its steps, calls and replies."""
        ...

    async def deliveries(self, state: str | None, *, limit: int) -> Sequence[ReplyReport]:
        """Return the last replies in a state, newest first; None: those that are not delivered yet."""
        ...


class Records:
    """The part of the API that reads the store. `spend` sums by a heading, in the owner's days."""

    def __init__(
        self,
        *,
        sessions: Sessions,
        reports: Reports,
        letters: DeadLetters,
        spend: Callable[[Heading], Awaitable[Sequence[Spend]]],
        why: Callable[[str], Awaitable[dict[str, Any]]],
    ) -> None:
        self._sessions = sessions
        self._reports = reports
        self._letters = letters
        self._spend = spend
        self._explain = why

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/api/sessions",
                answer=self._list,
                summary="Conversations, last used first.",
                query=SessionQuery,
                shape=shown.SessionsShown,
            ),
            Endpoint(
                method="GET",
                path="/api/sessions/{id}",
                answer=self._session,
                summary="A conversation, and its last turns with every step.",
                query=SessionDepth,
                shape=shown.SessionWhole,
            ),
            Endpoint(
                method="GET",
                path="/api/deliveries",
                answer=self._deliveries,
                summary="Replies and how their delivery stands, newest first.",
                query=DeliveryQuery,
                shape=shown.DeliveriesShown,
            ),
            Endpoint(
                method="GET",
                path="/api/dead",
                answer=self._dead,
                summary="Messages and replies that were set aside, oldest first.",
                shape=shown.LettersShown,
            ),
            Endpoint(
                method="GET",
                path="/api/usage",
                answer=self._usage,
                summary="Tokens and money.",
                query=UsageQuery,
                shape=shown.UsageShown,
            ),
            Endpoint(
                method="GET",
                path="/api/why/{id}",
                answer=self._why,
                summary="What led to an event, and what came of it.",
                shape=shown.ChainShown,
            ),
        ]

    async def _list(self, request: Request) -> Response:
        query = query_of(request, SessionQuery)
        try:
            source = Source.parse(query.source) if query.source is not None else None
        except ValueError as exc:
            raise ChannelError(str(exc)) from exc
        found = await self._sessions.recent(source=source, limit=query.limit)
        return reply({"sessions": [session_json(session) for session in found]})

    async def _session(self, request: Request) -> Response:
        query = query_of(request, SessionDepth)
        session = await self._sessions.get(request.path_params["id"])
        messages = await self._sessions.transcript(session.id)
        turns = await self._reports.turns(session.id)
        return await reply_large(
            lambda: {
                "session": session_json(session),
                "messages": [message.wire() for message in messages],
                "turns": [turn_json(turn) for turn in turns[max(0, len(turns) - query.turns) :]],
            }
        )

    async def _deliveries(self, request: Request) -> Response:
        query = query_of(request, DeliveryQuery)
        found = await self._reports.deliveries(query.state, limit=query.limit)
        return await reply_large(lambda: {"deliveries": [reply_json(each) for each in found]})

    async def _dead(self, request: Request) -> Response:
        found = (await self._letters.dead())[:MOST]
        return await reply_large(lambda: {"events": [letter_json(letter) for letter in found]})

    async def _usage(self, request: Request) -> Response:
        by = query_of(request, UsageQuery).by
        rows = await self._spend(by)
        whole = spend_json(total("total", rows))
        return reply({"by": by, "rows": [spend_json(row) for row in rows], "total": whole})

    async def _why(self, request: Request) -> Response:
        chain = await self._explain(request.path_params["id"])
        return await reply_large(lambda: chain)
