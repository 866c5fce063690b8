"""What a `MessagesApi` will say next, and how that looks on the wire.

Promises that each request takes one line, and that an ordinary answer is one write. Knows no socket and no rule about
what may be asked.
"""

import itertools
import json
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from picklebot.core.messages import Message
from picklebot.testing.faults import Answer, Fault, Plan, response_head, status
from picklebot.testing.prompt_cache import PromptCache
from picklebot.testing.stream_events import frame, json_message, message_events

Line: TypeAlias = str | Message | Fault | Callable[[Mapping[str, Any]], "Line"]


class Script:
    """Lines in order, then `default` for ever, then refusal."""

    def __init__(self, lines: Iterable[Line], default: Line | None) -> None:
        self._lines = deque(lines)
        self._default = default
        self._cache = PromptCache()
        self._numbers = itertools.count(1)

    def extend(self, lines: Iterable[Line]) -> None:
        """Add lines at the end."""
        self._lines.extend(lines)

    def answer(self, body: Mapping[str, Any]) -> Plan:
        """Return the plan of the answer to `body`."""
        line = self._lines.popleft() if self._lines else self._default
        while callable(line):
            line = line(body)
        if line is None:
            words = "the script of this MessagesApi has no more lines"
            line = status(400, {"type": "error", "error": {"type": "invalid_request_error", "message": words}})
        if isinstance(line, str):
            line = Message.assistant(line)
        if isinstance(line, Message):
            return self._whole(line, body)
        return line.plan(self._answer(line.message, body, line.stop))

    def _whole(self, message: Message, body: Mapping[str, Any]) -> Plan:
        answer = self._answer(message, body)
        content = b"".join(answer.pieces)
        return (b"%s%x\r\n%s\r\n0\r\n\r\n" % (answer.head, len(content), content),)

    def _answer(self, message: Message, body: Mapping[str, Any], stop: str | None = None) -> Answer:
        number = next(self._numbers)
        facts: dict[str, Any] = {
            "model": body["model"],
            "usage": self._cache.usage(body, output_characters=len(message.to_json())),
            "stop_reason": stop,
            "message_id": f"msg_{number:06}",
        }
        if body.get("stream"):
            pieces = [frame(event) for event in message_events(message, **facts)]
        else:
            whole = json.dumps(json_message(message, **facts)).encode()
            pieces = [whole[: len(whole) // 2], whole[len(whole) // 2 :]]
        kind = "text/event-stream; charset=utf-8" if body.get("stream") else "application/json"
        headers = {"content-type": kind, "request-id": f"req_{number:06}", "transfer-encoding": "chunked"}
        return Answer(head=response_head(200, headers), pieces=pieces)
