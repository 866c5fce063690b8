"""Streams of events for the tests of the accumulator, and what comes of them."""

from collections.abc import Iterable, Mapping
from typing import Any

from picklebot.core.messages import Message
from picklebot.models.accumulate import Accumulator
from picklebot.models.base import ModelReply
from picklebot.testing.stream_events import message_events

USAGE = {"input_tokens": 3, "output_tokens": 5, "cache_read_input_tokens": 7, "cache_creation_input_tokens": 11}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls", "n": [1, {"a": None}]}}
THOUGHT = {"type": "thinking", "thinking": "let me see", "signature": "c2lnbmVk"}


def streamed(*blocks: Mapping[str, Any], stop_reason: str | None = None) -> list[dict[str, Any]]:
    return list(message_events(Message("assistant", blocks), model="m", usage=USAGE, stop_reason=stop_reason))


def accumulate(events: Iterable[Mapping[str, Any]], *, max_bytes: int = 10_000_000) -> ModelReply:
    accumulator = Accumulator(max_bytes)
    for event in events:
        accumulator.feed(event)
    return accumulator.reply("req_1")
