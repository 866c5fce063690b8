"""A message as the events of a Messages API stream, and as bytes on the wire.

Promises the shapes of the real API (version 2026-10-21), each block in several deltas. Knows no server.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from picklebot.core.messages import Block, Message

Event: TypeAlias = dict[str, Any]
_encode = json.JSONEncoder(ensure_ascii=False, check_circular=False, separators=(",", ":")).encode


def message_events(
    message: Message, *, model: str, usage: Mapping[str, int], stop_reason: str | None = None, message_id: str = "msg_1"
) -> Iterator[Event]:
    """Yield the events that stream `message`; its stop reason follows from its calls unless it is given."""
    opening = json_message(Message("assistant", ()), model=model, usage=usage, message_id=message_id)
    opening["stop_reason"] = None
    opening["usage"]["output_tokens"] = 1
    yield {"type": "message_start", "message": opening}
    for index, block in enumerate(message.blocks):
        yield from _block_events(index, block)
    delta = {"stop_reason": stop_reason or _reason(message), "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": {"output_tokens": usage["output_tokens"]}}
    yield {"type": "message_stop"}


def json_message(
    message: Message, *, model: str, usage: Mapping[str, int], stop_reason: str | None = None, message_id: str = "msg_1"
) -> dict[str, Any]:
    """Return `message` as the answer to a request that did not ask for a stream."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(message.blocks),
        "stop_reason": stop_reason or _reason(message),
        "stop_sequence": None,
        "usage": dict(usage),
    }


def broken_call_events(name: str, raw_json: str, *, call_id: str, index: int = 0) -> Iterator[Event]:
    """Yield the block of a tool call whose input is `raw_json`, whatever that is."""
    block: dict[str, Any] = {"type": "tool_use", "id": call_id, "name": name, "input": {}}
    deltas = ({"type": "input_json_delta", "partial_json": piece} for piece in _pieces(raw_json))
    yield from _wrap(index, block, deltas)


def frame(event: Mapping[str, Any]) -> bytes:
    """Return `event` as a server-sent event."""
    return f"event: {event['type']}\ndata: {_encode(event)}\n\n".encode()


def _block_events(index: int, block: Block) -> Iterator[Event]:
    match block["type"]:
        case "text":
            deltas = [{"type": "text_delta", "text": piece} for piece in _pieces(block["text"])]
            return _wrap(index, {**block, "text": ""}, deltas)
        case "tool_use":
            return broken_call_events(block["name"], json.dumps(block["input"]), call_id=block["id"], index=index)
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in _pieces(block["thinking"])]
            deltas.append({"type": "signature_delta", "signature": block.get("signature", "")})
            return _wrap(index, {**block, "thinking": "", "signature": ""}, deltas)
        case _:
            return _wrap(index, block, ())


def _wrap(index: int, block: Block, deltas: Iterable[Mapping[str, Any]]) -> Iterator[Event]:
    yield {"type": "content_block_start", "index": index, "content_block": dict(block)}
    for delta in deltas:
        yield {"type": "content_block_delta", "index": index, "delta": dict(delta)}
    yield {"type": "content_block_stop", "index": index}


def _pieces(text: str) -> Sequence[str]:
    step = max(len(text) // 3, 1)
    return [text[start : start + step] for start in range(0, len(text), step)]


def _reason(message: Message) -> str:
    return "tool_use" if message.calls() else "end_turn"
