"""What the real Messages API refuses, so that a request it would refuse fails here first.

Promises the API's own words for the mistakes that clients make most. Loose elsewhere: it is a net, not a copy.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

_FIELDS = frozenset(
    {
        *("model", "messages", "max_tokens", "system", "tools", "tool_choice", "stream", "metadata", "stop_sequences"),
        *("thinking", "output_config", "cache_control", "container", "context_management", "diagnostics"),
        *("inference_geo", "service_tier"),
    }
)
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_TOOL_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
MAX_MARKS = 4  #: cache_control marks in one request


class Refused(ValueError):
    """The API would answer 400 with these words."""


def check_request(sent: object) -> None:
    """Check the body of `POST /v1/messages`.

    Raises:
        Refused: if the real API would not take it.
    """
    if not isinstance(sent, dict):
        raise Refused("the body is not a JSON object")
    body = cast(dict[str, Any], sent)
    if unknown := set(body) - _FIELDS:
        raise Refused(f"{min(unknown)}: Extra inputs are not permitted")
    if not isinstance(body.get("model"), str) or not body["model"]:
        raise Refused("model: Field required")
    if type(body.get("max_tokens")) is not int or body["max_tokens"] < 1:
        raise Refused("max_tokens: Input should be a positive integer")
    if not isinstance(body.get("messages"), list) or not body["messages"]:
        raise Refused("messages: at least one message is required")
    _check_tools(body.get("tools", []))
    if body.get("system") is not None:
        _check_texts("system", blocks_of(body["system"]))
    _check_messages(body["messages"])
    if sum("cache_control" in block for block in all_blocks(body)) > MAX_MARKS:
        raise Refused(f"A maximum of {MAX_MARKS} blocks with cache_control may be provided.")


def blocks_of(content: Any) -> Sequence[Mapping[str, Any]]:
    """Return content as blocks; a string is one block of text."""
    if isinstance(content, str):
        return [{"type": "text", "text": content}]
    blocks = cast(list[object], content if isinstance(content, list) else [None])
    typed = [cast(dict[str, Any], block) for block in blocks if isinstance(block, dict)]
    if len(typed) < len(blocks) or not all(isinstance(block.get("type"), str) for block in typed):
        raise Refused("content: Input should be a string or a list of blocks with a type")
    return typed


def all_blocks(body: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return everything a model reads, in the order that prompt caching sees it: tools, system, messages."""
    read = [*body.get("tools", ()), *blocks_of(body.get("system") or [])]
    for message in body["messages"]:
        read += blocks_of(message["content"])
    return read


def _check_tools(tools: Sequence[dict[str, Any]]) -> None:
    names: set[str] = set()
    for index, tool in enumerate(tools):
        name = tool.get("name")
        if not isinstance(name, str) or not _TOOL_NAME.fullmatch(name):
            raise Refused(f"tools.{index}.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'")
        if name in names:
            raise Refused("tools: Tool names must be unique.")
        names.add(name)
        if "type" not in tool and tool.get("input_schema", {}).get("type") != "object":
            raise Refused(f"tools.{index}.input_schema.type: Field required")


def _check_messages(messages: Sequence[object]) -> None:
    asked: list[str] = []
    seen: set[str] = set()
    roles: list[str] = []
    for index, item in enumerate(messages):
        message = cast(dict[str, Any], item if isinstance(item, dict) else {})
        if message.get("role") not in {"user", "assistant", "system"}:
            raise Refused(f"messages.{index}.role: Input should be 'user', 'assistant' or 'system'")
        roles.append(message["role"])
        blocks = blocks_of(message.get("content"))
        if not blocks:
            raise Refused(f"messages.{index}: all messages must have non-empty content")
        _check_texts(f"messages.{index}", blocks)
        _check_results(index, blocks, asked)
        asked = [block.get("id", "") for block in blocks if block["type"] == "tool_use"]
        _check_calls(index, blocks, seen)
    if asked:
        _check_results(len(messages), [], asked)
    if roles[0] != "user":
        raise Refused("messages: first message must use the user role")
    if roles[-1] == "assistant":
        raise Refused(
            "This model does not support assistant message prefill. The conversation must end with a user message."
        )


def _check_texts(where: str, blocks: Sequence[Mapping[str, Any]]) -> None:
    for index, block in enumerate(blocks):
        if block["type"] == "text" and not str(block.get("text", "")).strip():
            raise Refused(f"{where}.content.{index}: text content blocks must be non-empty")
        if block["type"] in {"thinking", "redacted_thinking"} and "cache_control" in block:
            raise Refused(f"{where}.content.{index}: thinking blocks cannot have cache_control")
        if block["type"] == "tool_result" and isinstance(block.get("content"), list):
            _check_texts(f"{where}.content.{index}", blocks_of(block["content"]))


def _check_results(index: int, blocks: Sequence[Mapping[str, Any]], asked: Sequence[str]) -> None:
    """Every call of the message before is answered here, first of all, and nothing else is."""
    kinds = [block["type"] for block in blocks]
    answered = [block.get("tool_use_id", "") for block in blocks if block["type"] == "tool_result"]
    if missing := [call for call in asked if call not in answered]:
        raise Refused(
            f"messages.{index - 1}: `tool_use` ids were found without `tool_result` blocks immediately after: "
            f"{', '.join(missing)}. Each `tool_use` block must have a corresponding `tool_result` block in the next message."
        )
    if unexpected := [call for call in answered if call not in asked]:
        raise Refused(
            f"messages.{index}: unexpected `tool_use_id` found in `tool_result` blocks: {', '.join(unexpected)}. Each "
            "`tool_result` block must have a corresponding `tool_use` block in the previous message."
        )
    if len(set(answered)) < len(answered):
        raise Refused(f"messages.{index}: each tool_use must have a single result")
    if kinds[: len(answered)] != ["tool_result"] * len(answered):
        raise Refused(f"messages.{index}: `tool_result` blocks must come first in the content")


def _check_calls(index: int, blocks: Sequence[Mapping[str, Any]], seen: set[str]) -> None:
    for block in blocks:
        if block["type"] != "tool_use":
            continue
        if not isinstance(block.get("id"), str) or not _ID.fullmatch(block["id"]):
            raise Refused(f"messages.{index}: tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'")
        if block["id"] in seen:
            raise Refused(f"messages.{index}: `tool_use` ids must be unique")
        seen.add(block["id"])
        if not isinstance(block.get("input"), dict) or not block.get("name"):
            raise Refused(f"messages.{index}: tool_use.input: Input should be an object")
