"""A chat completion as it is asked for.

Promises that whatever cannot be had here is refused in words, and that what may be left out of account is. Knows no
session and no HTTP server. The shapes are those of platform.openai.com/docs/api-reference/chat/create.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from picklebot.core.text import clean

MAX_MESSAGES = 2000


class Refusal(Exception):
    """A request that is not carried out, in OpenAI's words for it.

    `again`: whether the same request may be sent once more; False where its turn has been taken.
    """

    def __init__(
        self,
        status: int,
        message: str,
        *,
        code: str | None = None,
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
        again: bool = True,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.code = code
        self.param = param
        self.headers = dict(headers or {})
        self.again = again

    @property
    def kind(self) -> str:
        """OpenAI's name for errors of this status."""
        return {401: "authentication_error", 429: "rate_limit_error"}.get(
            self.status, "invalid_request_error" if self.status < 500 else "server_error"
        )


class _Wire(BaseModel):
    model_config = ConfigDict(extra="allow", frozen=True)


class ContentPart(_Wire):
    """A piece of a message; only text is read."""

    type: str = Field(max_length=64)
    text: str = ""


class ChatMessage(_Wire):
    """A message of the client's conversation."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[ContentPart] | None = None

    @property
    def text(self) -> str:
        """What it says; of what is no text, only that it was there."""
        if not isinstance(self.content, list):
            return clean(self.content or "")
        return clean("\n".join(part.text if part.type == "text" else f"[{part.type}]" for part in self.content))


class StreamOptions(_Wire):
    """How it is streamed."""

    include_usage: bool = False


class CompletionRequest(_Wire):
    """The body of a request. Keys that are not named here are left out of account."""

    model: str = Field(min_length=1, max_length=256)
    messages: list[ChatMessage] = Field(min_length=1, max_length=MAX_MESSAGES)
    stream: bool = False
    stream_options: StreamOptions | None = None
    user: str | None = Field(default=None, max_length=512)

    @model_validator(mode="before")
    @classmethod
    def _refuse_what_cannot_be_had(cls, given: Any) -> object:
        fields: Mapping[str, Any] = cast("Mapping[str, Any]", given) if isinstance(given, Mapping) else _NOTHING
        for name, ask in _CANNOT.items():
            if ask.wants(fields.get(name)):
                raise _Cannot(name, ask.words)
        return cast("object", given)

    @property
    def question(self) -> str:
        """What is asked now: the last message."""
        return self.messages[-1].text

    @property
    def history(self) -> Sequence[ChatMessage]:
        """What the client has of the conversation before that."""
        return self.messages[:-1]


class _Cannot(ValueError):
    def __init__(self, param: str, words: str) -> None:
        super().__init__(words)
        self.param = param


@dataclass(frozen=True, slots=True)
class _Ask:
    words: str
    but: tuple[Any, ...] = ()

    def wants(self, value: Any) -> bool:
        return bool(value) and value not in self.but


_NOTHING: Mapping[str, Any] = {}
_TOOLS = "the agent has tools of its own, and calls none of the client's: leave them out"
_FORMAT = "the agent answers in text, and promises no JSON: leave it out"
_CANNOT: Mapping[str, _Ask] = {
    "n": _Ask("one answer is given to each message: n is 1", but=(1,)),
    "tools": _Ask(_TOOLS),
    "functions": _Ask(_TOOLS),
    "response_format": _Ask(_FORMAT, but=({"type": "text"},)),
    "logprobs": _Ask("no probabilities are known here: leave logprobs out"),
    "audio": _Ask("the agent answers in text: leave audio out"),
    "modalities": _Ask("the agent answers in text: leave modalities out", but=(["text"],)),
}


def read(body: object) -> CompletionRequest:
    """Return the request that a JSON body is.

    Raises:
        Refusal: it is none, or asks for something that cannot be had here.
    """
    try:
        request = CompletionRequest.model_validate(body)
    except ValidationError as exc:
        raise _explained(exc) from None
    last = request.messages[-1]
    if last.role != "user":
        raise Refusal(400, f"the last message is the {last.role}'s; it must be the user's", param="messages")
    parts = last.content if isinstance(last.content, list) else []
    kinds = {part.type for part in parts if part.type != "text"}
    if kinds:
        raise Refusal(400, f"only text is read here, not {', '.join(sorted(kinds))}", param="messages")
    if not request.question.strip():
        raise Refusal(400, "the last message is empty", param="messages")
    return request


def _explained(error: ValidationError) -> Refusal:
    first = error.errors(include_url=False, include_input=False)[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, _Cannot):
        return Refusal(400, str(cause), param=cause.param, code="unsupported_parameter")
    place = ".".join(str(step) for step in first["loc"])
    if not place:
        return Refusal(400, "the body must be a JSON object with model and messages")
    return Refusal(400, f"{place[:200]}: {first['msg']}", param=str(first["loc"][0])[:64])
