"""The frames of `/ws/terminal`: what a terminal says, as it is read, and what it is told.

Only `chat` and `ask` speak so, in the daemon's own version: `PROTOCOL` is counted up when the two would misunderstand
each other. Knows no socket.
"""

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from picklebot.gateway.frames import AcceptedShown, ErrorShown, EventShown


class _Said(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class Hello(_Said):
    """Who joins: a terminal's first frame. `user` is the person's name there."""

    type: Literal["hello"]
    protocol: int
    user: str = Field(min_length=1, max_length=64)


class Words(_Said):
    """Something said, or (type `more`) an earlier piece of it. The same id again is the same message."""

    type: Literal["message", "more"]
    id: str = Field(min_length=1, max_length=128)
    content: str
    session: str | None = None
    agent: str | None = None


class Ask(_Said):
    """A question, and the number under which its answer is expected."""

    type: Literal["ask"]
    n: int
    what: str
    given: Mapping[str, Any] = Field(default_factory=dict)


class StopTurn(_Said):
    """Stop the turn of a session."""

    type: Literal["stop"]
    session: str


class WasShown(_Said):
    """A person has read a reply, whose event's id is `key`: from now on it counts as delivered."""

    type: Literal["shown"]
    key: str


class Welcome(BaseModel):
    """The answer to a hello: who we are, and what a person should read first."""

    type: Literal["welcome"]
    protocol: int
    version: str
    pid: int
    notices: list[str]


class RefusedShown(BaseModel):
    """A message (`id`) was not accepted, or a question (`n`) has no answer; `kind` is the class of the error."""

    type: Literal["refused"]
    id: str | None = None
    n: int | None = None
    kind: str
    message: str
    retry_after: float | None = None


class AnswerShown(BaseModel):
    """The answer to the question of that number."""

    type: Literal["answer"]
    n: int
    value: Any


CLIENT_FRAMES = (Hello, Words, Ask, StopTurn, WasShown)
SERVER_FRAMES = (Welcome, AcceptedShown, RefusedShown, AnswerShown, EventShown, ErrorShown)
