"""A chat completion as it is answered: one object, or chunks of one, and errors.

Knows no turn. The shapes are those of platform.openai.com/docs/api-reference/chat.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from picklebot.core.replies import Usage
from picklebot.gateway.openai.request import Refusal

DONE = b"data: [DONE]\n\n"
ALIVE = b": still at work\n\n"  #: a comment, so that nobody takes a long turn for a dead connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What all objects of one completion have in common. `created` in Unix seconds."""

    event_id: str
    model: str
    created: int

    def whole(self, content: str, usage: Usage) -> dict[str, Any]:
        """Return the completion."""
        message = {"role": "assistant", "content": content, "refusal": None}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
        return {**self._head("chat.completion"), "choices": [choice], "usage": usage_of(usage)}

    def begin(self) -> bytes:
        """Return the first chunk."""
        return self._chunk({"role": "assistant", "content": ""})

    def piece(self, content: str) -> bytes:
        """Return a chunk of text."""
        return self._chunk({"content": content})

    def end(self) -> bytes:
        """Return the chunk that says why it ends."""
        return self._chunk({}, finish_reason="stop")

    def usage(self, usage: Usage) -> bytes:
        """Return the chunk with what was used, for a client that asked for it."""
        return sse({**self._head("chat.completion.chunk"), "choices": [], "usage": usage_of(usage)})

    def _head(self, kind: str) -> dict[str, Any]:
        return {"id": f"chatcmpl-{self.event_id}", "object": kind, "created": self.created, "model": self.model}

    def _chunk(self, delta: Mapping[str, Any], *, finish_reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return sse({**self._head("chat.completion.chunk"), "choices": [choice]})


def usage_of(usage: Usage) -> dict[str, Any]:
    """Return what a turn has used: all its model calls together."""
    return {
        "prompt_tokens": usage.context_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.context_tokens + usage.output_tokens,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read_tokens},
    }


def error_of(refusal: Refusal) -> dict[str, Any]:
    """Return an error."""
    return {
        "error": {
            "message": refusal.message,
            "type": refusal.kind,
            "param": refusal.param,
            "code": refusal.code,
        }
    }


def models_of(agents: Sequence[str], created: int) -> dict[str, Any]:
    """Return the list of models that these agents are."""
    return {"object": "list", "data": [model_of(agent_id, created) for agent_id in agents]}


def model_of(agent_id: str, created: int) -> dict[str, Any]:
    """Return the model that an agent is."""
    return {"id": agent_id, "object": "model", "created": created, "owned_by": "picklebot"}


def sse(document: object) -> bytes:
    """Return a document as one server-sent event."""
    return f"data: {json.dumps(document, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()
