"""The frames of the WebSocket: what a client may send, read strictly, and what it is answered.

Knows no socket.
"""

import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from picklebot.channels.base import Accepted
from picklebot.errors import PicklebotError
from picklebot.gateway.endpoint import Given
from picklebot.gateway.refusals import Refused, mistakes_in, refusal_of
from picklebot.gateway.wire import frame

MAX_ID = 200  #: characters of the id of a frame or of an Idempotency-Key
ClientName = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", description="Who speaks; yours to choose.")]
Key = Annotated[str, Field(min_length=1, max_length=MAX_ID)]


class MessageFrame(Given):
    """Something said. The same `id` again, from the same client, is the same message. `new`: in a session of its own."""

    type: Literal["message"]
    id: Key
    content: str
    session: str | None = Field(default=None, max_length=64)
    agent: str | None = Field(default=None, max_length=64)
    new: bool = False


class SubscribeFrame(Given):
    """Show me a session, or everything; with `after`, first what is in the log after that seq."""

    type: Literal["subscribe"]
    session: str | None = Field(default=None, max_length=64)
    after: int | None = Field(default=None, ge=0, lt=1 << 63)


class StopFrame(Given):
    """Stop the turn of a session."""

    type: Literal["stop"]
    session: str = Field(max_length=64)


class PingFrame(Given):
    """A question whether we are there."""

    type: Literal["ping"]


class AcceptedShown(BaseModel):
    """The message is on disk. `duplicate`: it had been before, and nothing new will come of it."""

    type: Literal["accepted"]
    id: str
    event_id: str
    session_id: str
    duplicate: bool


class EventShown(BaseModel):
    """Something that happened; with `seq` it is durable, and that is its place in the log."""

    type: Literal["event"]
    event: dict[str, Any]
    seq: int | None = None


class ErrorShown(BaseModel):
    """What was wrong with a frame; with `id`, with the message of that id, which was not accepted."""

    type: Literal["error"]
    code: str
    message: str
    id: str | None = None


class PongShown(BaseModel):
    """The answer to a ping."""

    type: Literal["pong"]


ClientFrame: TypeAlias = Annotated[MessageFrame | SubscribeFrame | StopFrame | PingFrame, Field(discriminator="type")]
_FRAMES: TypeAdapter[ClientFrame] = TypeAdapter(ClientFrame)
PONG = frame(b'{"type":"pong"}')


def read(text: str) -> ClientFrame:
    """Return what a client sent.

    Raises:
        Refused: it is no frame that there is.
    """
    try:
        return _FRAMES.validate_json(text)
    except ValidationError as exc:
        kinds = {error["type"] for error in exc.errors()}
        if kinds & {"union_tag_invalid", "union_tag_not_found"}:
            raise Refused(400, "unknown_type", "`type` is one of message, subscribe, stop, ping") from exc
        if "json_invalid" in kinds:
            raise Refused(400, "bad_frame", "a frame is a JSON object") from exc
        raise Refused(400, "bad_frame", str(mistakes_in(exc))) from exc


def accepted(frame_id: str, verdict: Accepted) -> bytes:
    """Return the word that a message is on disk."""
    return _frame(
        {
            "type": "accepted",
            "id": frame_id,
            "event_id": verdict.event_id,
            "session_id": verdict.session_id,
            "duplicate": verdict.duplicate,
        }
    )


def error(exc: PicklebotError, frame_id: str | None = None) -> bytes:
    """Return what was wrong with a frame; with `frame_id`, with the message that it brought."""
    refused = refusal_of(exc)
    told = {"type": "error", "code": refused.code, "message": str(refused)}
    return _frame(told if frame_id is None else {**told, "id": frame_id})


def _frame(body: dict[str, Any]) -> bytes:
    return frame(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
