"""Completions: a message is said, its turn followed, and what comes of it answered, at once or as it is said.

Promises that a message is on disk before the first byte of its answer is sent, and that its turn goes on when the
client hangs up. Knows no route.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from picklebot.channels.base import Accepted, Incoming
from picklebot.core.bus import EventBus, Overflow
from picklebot.core.replies import Usage
from picklebot.errors import NotFound, PicklebotError
from picklebot.gateway.entrance import Entrance
from picklebot.gateway.openai.answer import ALIVE, DONE, Answer, error_of, sse
from picklebot.gateway.openai.following import FOLLOWED, INBOX, Following, Watch
from picklebot.gateway.openai.request import CompletionRequest, Refusal
from picklebot.gateway.refusals import Refused, refusal_of, reply
from picklebot.store.base import Spend

SESSION = "X-Picklebot-Session"
_HEAD = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff", "X-Accel-Buffering": "no"}


class Bills(Protocol):
    """Knows what turns have used."""

    async def of_turn(self, event_id: str) -> Spend:
        """Sum what the turn of one message used so far."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Where completions are said and followed."""

    bus: EventBus
    entrance: Entrance
    watch: Watch
    bills: Bills

    @asynccontextmanager
    async def say(self, incoming: Incoming) -> AsyncGenerator[tuple[Accepted, Following], None]:
        """Say something and follow its turn, heard from before it is said.

        Raises:
            PicklebotError: it was not accepted.
        """
        with self.bus.subscribe(*FOLLOWED, maxsize=INBOX, overflow=Overflow.DROP_OLDEST) as events:
            accepted = await self.entrance.bring(incoming)
            yield accepted, Following(accepted.event_id, events, self.watch)

    async def usage(self, event_id: str) -> Usage:
        """Return what a turn has used."""
        return (await self.bills.of_turn(event_id)).usage


class Completion(Response):
    """One completion, as an ASGI application: it is said when it is called."""

    def __init__(self, request: CompletionRequest, incoming: Incoming, desk: Desk) -> None:
        super().__init__()
        self._request = request
        self._incoming = incoming
        self._desk = desk

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Say it and answer."""
        try:
            async with self._desk.say(self._incoming) as (accepted, following):
                answer = Answer(
                    event_id=accepted.event_id,
                    model=self._request.model,
                    created=int(self._desk.watch.now().timestamp()),
                )
                if self._request.stream:
                    await self._stream(answer, accepted, following, send)
                    return
                response = await self._whole(answer, accepted, following)
        except PicklebotError as exc:
            response = refuse(refused_as(exc))
        except Refusal as exc:
            response = refuse(exc)
        await response(scope, receive, send)

    async def _whole(self, answer: Answer, accepted: Accepted, following: Following) -> Response:
        try:
            content = "".join([piece async for piece in following.pieces()])
        except Refusal as exc:
            return refuse(exc, accepted)
        return reply(answer.whole(content, await self._desk.usage(accepted.event_id)), headers=_names(accepted))

    async def _stream(self, answer: Answer, accepted: Accepted, following: Following, send: Send) -> None:
        names = {**_HEAD, **_names(accepted), "Content-Type": "text/event-stream; charset=utf-8"}
        head = [(name.lower().encode(), value.encode()) for name, value in names.items()]
        await send({"type": "http.response.start", "status": 200, "headers": head})

        async def tell(body: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        await tell(answer.begin())
        try:
            async for piece in following.pieces():
                await tell(answer.piece(piece) if piece else ALIVE)
        except Refusal as exc:
            await tell(sse(error_of(exc)), more=False)
            return
        await tell(answer.end())
        if self._request.stream_options is not None and self._request.stream_options.include_usage:
            await tell(answer.usage(await self._desk.usage(accepted.event_id)))
        await tell(DONE, more=False)


def refused_as(exc: PicklebotError) -> Refusal:
    """Return in OpenAI's words why something was not accepted."""
    if isinstance(exc, NotFound):
        return Refusal(404, str(exc), code="model_not_found", param="model")
    refused: Refused = refusal_of(exc)
    return Refusal(refused.status, str(refused), code=refused.code, headers=refused.headers)


def refuse(refusal: Refusal, accepted: Accepted | None = None) -> Response:
    """Return a refusal as a response; with `accepted` it is how the turn of that message ended."""
    headers: dict[str, Any] = {**refusal.headers, **(_names(accepted) if accepted else {})}
    if not refusal.again:  # what the openai clients ask before they try again by themselves
        headers["X-Should-Retry"] = "false"
    return reply(error_of(refusal), refusal.status, headers)


def _names(accepted: Accepted) -> dict[str, str]:
    return {SESSION: accepted.session_id, "X-Picklebot-Event": accepted.event_id, "X-Request-ID": accepted.event_id}
