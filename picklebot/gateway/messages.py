"""`POST /api/messages`: say something, and if you like wait for the answer.

Promises 202 only once the message is on disk, the same answer to the same `Idempotency-Key` of the same client, and
that a wait which runs out, or is ended by a stop of the daemon, loses nothing but the wait. Knows no turn.
"""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel, Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from picklebot.channels.base import Accepted, Incoming
from picklebot.core.events import OutboundEvent
from picklebot.core.ids import new_id
from picklebot.gateway.endpoint import Endpoint, Given, body_of, query_of
from picklebot.gateway.entrance import NOBODY, Entrance, key_of
from picklebot.gateway.frames import ClientName, Key
from picklebot.gateway.hub import Hub
from picklebot.gateway.refusals import Refused, reply

LONGEST_WAIT = 600.0  #: seconds
_KEY: TypeAdapter[str] = TypeAdapter(Key)


class Said(Given):
    """A message. `session` and `agent` are wishes; without them it goes where this client spoke last."""

    content: str
    session: str | None = Field(default=None, max_length=64)
    agent: str | None = Field(default=None, max_length=64)
    client: ClientName = NOBODY
    new: bool = Field(default=False, description="In a session of its own.")


class Patience(Given):
    """How long to wait for the reply, in seconds."""

    wait: float | None = Field(default=None, gt=0, le=LONGEST_WAIT)


class Receipt(BaseModel):
    """The message is on disk. `duplicate`: it had been before, and nothing new will come of it."""

    event_id: str
    session_id: str
    duplicate: bool


class Answered(Receipt):
    """What was said in reply; `error` where the turn failed."""

    reply: str
    error: str | None


class Answers(Protocol):
    """Knows how a message stands and what was answered."""

    async def replies_to(self, event_id: str) -> Sequence[OutboundEvent]:
        """Return what was said in answer to a message, oldest first."""
        ...

    async def ended(self, event_id: str) -> str | None:
        """Return how an accepted message ended: done, failed or dead; None: it is open."""
        ...


class Messages:
    """Takes messages over HTTP."""

    def __init__(self, *, entrance: Entrance, hub: Hub, answers: Answers) -> None:
        self._entrance = entrance
        self._hub = hub
        self._answers = answers

    def endpoints(self) -> list[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="POST",
                path="/api/messages",
                answer=self._post,
                summary="Say something. The same Idempotency-Key from the same client is the same message.",
                query=Patience,
                body=Said,
                shape=Receipt,
                status=202,
                keyed=True,
                also={200: "The reply, where `wait` was long enough."},
            )
        ]

    async def _post(self, request: Request) -> Response:
        patience = query_of(request, Patience)
        said = await body_of(request, Said)
        verdict = await self.say(said, _key(request))
        receipt = {
            "event_id": verdict.event_id,
            "session_id": verdict.session_id,
            "duplicate": verdict.duplicate,
        }
        if patience.wait is not None and (found := await self.reply_to(verdict.event_id, patience.wait)) is not None:
            return reply({**receipt, **found})
        return reply(receipt, 202)

    async def say(self, said: Said, key: str | None) -> Accepted:
        """Bring a message in; without a key it is a new one.

        Raises:
            PicklebotError: it was not accepted.
        """
        return await self._entrance.bring(
            Incoming(
                source=self._entrance.source(said.client),
                content=said.content,
                key=key_of(said.client, key or new_id()),
                agent=said.agent,
                session=said.session,
                new_session=said.new,
            )
        )

    async def reply_to(self, event_id: str, seconds: float) -> dict[str, str | None] | None:
        """Wait until a message is answered; None: it is not yet, or the daemon stops."""
        try:
            async with asyncio.timeout(seconds), self._hub.watch(event_id) as bell:
                while (state := await self._answers.ended(event_id)) is None:
                    if self._hub.closing.is_set():
                        return None
                    await bell.wait()
                    bell.clear()
        except TimeoutError:
            return None
        replies = await self._answers.replies_to(event_id)
        error = next((each.error for each in reversed(replies) if each.error), None)
        if state != "done" and error is None:
            error = "it failed" if state == "failed" else "it was set aside"
        return {"reply": "\n\n".join(each.content for each in replies), "error": error}


def _key(request: Request) -> str | None:
    given = request.headers.getlist("idempotency-key")
    if not given:
        return None
    try:
        [key] = given
        return _KEY.validate_python(key)
    except ValueError as exc:  # several, or a wrong one: pydantic's error is one too
        raise Refused(400, "bad_request", "Idempotency-Key: give one, of 1 to 200 characters") from exc
