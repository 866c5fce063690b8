"""The model seam: a request in, a stream of events out, a complete reply at its end.

Promises that a `ModelReply` is whole: the endpoint said that the message stopped. A stream that ends without one
raises. Knows no vendor.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from picklebot.core.messages import Message
from picklebot.core.replies import ModelReply as ModelReply
from picklebot.core.replies import Usage as Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolSchema:
    """A tool as a model sees it."""

    name: str
    description: str
    input_schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRequest:
    """One question to a model. `system` is the stable prefix; `tools` are sorted by name.

    `model` is the name to ask for; None means the adapter's own default.
    """

    system: str
    messages: Sequence[Message]
    tools: Sequence[ToolSchema] = ()
    model: str | None = None
    max_tokens: int = 8192
    effort: str | None = None


@dataclass(frozen=True, slots=True)
class TextChunk:
    """A piece of visible text."""

    text: str


@dataclass(frozen=True, slots=True)
class ThinkingChunk:
    """A piece of the model's thinking."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spending:
    """What an answer has taken so far, for the case that it comes to nothing: its endpoint bills that all the same.

    `written` are bytes of the answer; their tokens may be counted in `usage` only at its end.
    """

    model: str
    usage: Usage
    written: int = 0


ModelEvent: TypeAlias = "TextChunk | ThinkingChunk | Spending | ModelReply"


class Model(Protocol):
    """Something that answers. One instance serves every session at once."""

    @property
    def name(self) -> str:
        """What to call it when it answers for itself, e.g. in status."""
        ...

    def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Ask; yield pieces as they come, and last of all one `ModelReply`.

        Makes one attempt: retrying is the caller's business. An endpoint that sends bills says what it counts with
        `Spending`, once it has begun to answer and now and then.

        Raises:
            ModelUnavailable: overloaded, limited, unreachable or cut off; `retry_after` when the endpoint says.
            ModelRejected: the request or the key was refused.
            ContextTooLong: the conversation is too long for the model.
        """
        ...

    async def aclose(self) -> None:
        """Let go of connections. Idempotent."""
        ...
