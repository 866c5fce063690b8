"""A model that says again what a recorded session's model said.

Promises the recorded replies, in the order of the file that `picklebot sessions export` wrote, whatever is asked, and
an error after the last one. Holds one place in the recording, so it can serve one conversation at a time. Knows no
tool: whoever runs the calls decides whether they happen again.
"""

from collections.abc import AsyncGenerator, Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError, field_validator

from picklebot.core.messages import Message
from picklebot.errors import ConfigError, ModelRejected
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest, TextChunk, ThinkingChunk, Usage

MAX_BYTES = 64 * 1024 * 1024  #: of one recording
_BOM = b"\xef\xbb\xbf"


class _Reply(BaseModel):
    role: Literal["assistant"]
    content: list[dict[str, Any]]

    @field_validator("content")
    @classmethod
    def _check_blocks(cls, blocks: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for block in blocks:
            match block:
                case {"type": "text", "text": str()}:
                    pass
                case {"type": "tool_use", "id": str(), "name": str(), "input": dict()}:
                    pass
                case {"type": "text" | "tool_use" as kind}:
                    raise ValueError(f"a {kind} block lacks a part, or has one of the wrong type")
                case {"type": str()}:
                    pass  # kept as it came: the seam lets unknown kinds through
                case _:
                    raise ValueError("a block has no type")
        return blocks


class _Usage(BaseModel):
    input_tokens: int = Field(default=0, ge=0)
    output_tokens: int = Field(default=0, ge=0)
    cache_read_tokens: int = Field(default=0, ge=0)
    cache_write_tokens: int = Field(default=0, ge=0)


class _Step(BaseModel):
    reply: _Reply
    stop_reason: str
    model: str = ""
    usage: _Usage = Field(default_factory=_Usage)

    def whole(self) -> ModelReply:
        message = Message("assistant", tuple(self.reply.content))
        usage = Usage(**self.usage.model_dump())
        return ModelReply(message=message, stop_reason=self.stop_reason, usage=usage, model=self.model)


class _Turn(BaseModel):
    steps: list[_Step] = Field(default_factory=list[_Step])


class _Recording(BaseModel):
    turns: list[_Turn]


class ReplayModel:
    """Gives one recorded reply a request."""

    name = "replay"

    def __init__(self, replies: Sequence[ModelReply]) -> None:
        self._replies = replies
        self._given = 0

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Say the next reply; one that was not heard to its end is said again.

        Raises:
            ModelRejected: the last one was already given.
        """
        place = self._given
        if place >= len(self._replies):
            raise ModelRejected(f"the recording has no more replies: all {place} were given")
        reply = self._replies[place]
        for block in reply.message.blocks:
            match block:
                case {"type": "text", "text": str(text)} if text:
                    yield TextChunk(text)
                case {"type": "thinking", "thinking": str(text)} if text:
                    yield ThinkingChunk(text)
                case _:
                    pass
        self._given = place + 1
        yield reply

    async def aclose(self) -> None:
        """Hold nothing, so let go of nothing."""


def create(*, path: str | Path) -> ReplayModel:
    """Return a model that replays the session exported to `path`.

    Raises:
        ConfigError: the file is missing, too large, or no exported session.
    """
    path = Path(path).expanduser()
    try:
        recording = _Recording.model_validate_json(_read(path).removeprefix(_BOM))
    except OSError as exc:
        raise ConfigError(f"{path}: the recording cannot be read: {exc.strerror or exc}") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        what = f"{place}: {first['msg']}" if place else first["msg"]
        raise ConfigError(f"{path}: this is no session as 'picklebot sessions export' writes it: {what}") from exc
    return ReplayModel([step.whole() for turn in recording.turns for step in turn.steps])


def _read(path: Path) -> bytes:
    # A pipe would keep the daemon waiting for a writer, so only files are opened.
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path}: a recording is a file, and this is something else")
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        raise ConfigError(f"{path}: the recording is larger than {MAX_BYTES // 1024 // 1024} MB")
    return content
