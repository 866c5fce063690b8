"""A request in the shape of the Messages API, as the bytes to send.

Promises that blocks go out as they came in, but for what the API would refuse, and that two requests with the same
beginning have the same bytes there, marks aside, which is what prompt caching needs: at most three marks, after the
system prompt (and so the tools), where the request before this one ended, and at the end. Knows no connection.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from picklebot.core.messages import Block, Message
from picklebot.models.base import ModelRequest, ToolSchema

_MARK = {"type": "ephemeral"}
_UNMARKABLE = frozenset({"thinking", "redacted_thinking"})  # the API refuses a cache mark on these
_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What an endpoint understands beyond the plain Messages API: many local servers take neither."""

    cache_control: bool = True
    effort: bool = True


PLAIN_CLAUDE = Capabilities()


def encode_request(request: ModelRequest, *, model: str, max_tokens: int, capabilities: Capabilities) -> bytes:
    """Return the body of a streaming `POST /v1/messages`."""
    body: dict[str, Any] = {"model": model, "max_tokens": max_tokens, "stream": True}
    if request.effort and capabilities.effort:
        body["output_config"] = {"effort": request.effort}
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if request.system.strip():
        system: dict[str, Any] = {"type": "text", "text": request.system}
        body["system"] = [{**system, "cache_control": _MARK} if capabilities.cache_control else system]
    body["messages"] = _messages(request.messages, mark=capabilities.cache_control)
    # A lone surrogate that found its way in must not stop the conversation for ever.
    return _encode(body).encode("utf-8", "replace")


def _tool(tool: ToolSchema) -> dict[str, Any]:
    return {"name": tool.name, "description": tool.description, "input_schema": tool.input_schema}


def _messages(messages: Sequence[Message], *, mark: bool) -> list[dict[str, Any]]:
    wire = [
        {"role": message.role, "content": content} for message in messages if (content := _sendable(message.blocks))
    ]
    if mark and wire:
        _mark_last(wire[-1])
        # Where the request before this one ended. The endpoint looks for a known prefix only so many blocks back from a
        # mark, and the calls of one step with their results can be more than that.
        if before := next((each for each in reversed(wire[:-1]) if each["role"] == "user"), None):
            _mark_last(before)
    return wire


def _sendable(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that the API takes back: it refuses blank text, even its own."""
    return [_without_blanks(block) for block in blocks if not _is_blank(block)]


def _without_blanks(block: Block) -> Block:
    content = block.get("content") if block.get("type") == "tool_result" else None
    if not isinstance(content, list):
        return block
    parts = cast(list[Block], content)
    kept = [part for part in parts if not _is_blank(part)]
    return block if len(kept) == len(parts) else {**block, "content": kept}


def _is_blank(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text" and not str(block.get("text") or "").strip()


def _mark_last(message: dict[str, Any]) -> None:
    """Mark the last block that can be marked, in a copy: the conversation itself stays as it is."""
    blocks = cast(list[Block], message["content"])
    for index in range(len(blocks) - 1, -1, -1):
        if blocks[index].get("type") not in _UNMARKABLE:
            blocks[index] = {**blocks[index], "cache_control": _MARK}
            return
