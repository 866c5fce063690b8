"""What a request says: who spoke, what the person wants now, and what the tools have already answered.

Promises that the runtime's context is never taken for words of the person. Knows no rule.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from picklebot.core.messages import Message, ToolCall
from picklebot.models.base import ModelRequest
from picklebot.models.offline.rule import Scene

_CONTEXT = "<context>"
_JOB = re.compile(r"\A\[Job [^\n]*\]\n\n")  # what the scheduler writes above the words of a job
_TIME = re.compile(
    r"^Time: ([0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)(?: \([^)\n]*\))?(?:, (.+))?$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one call, as text."""

    call: ToolCall
    text: str
    is_error: bool


@dataclass(frozen=True, slots=True)
class Reading:
    """A request, understood: `text` is what the person wants, `rounds` what was done about it so far."""

    scene: Scene
    text: str
    rounds: Sequence[Sequence[Outcome]]


def read(request: ModelRequest) -> Reading:
    """Return what `request` says."""
    messages = request.messages
    asked = [place for place, message in enumerate(messages) if _is_spoken(message)]
    opening = asked[-1] if asked else 0
    now, zone = _time(messages[opening]) if asked else (None, "")
    scene = Scene(
        tools={tool.name: tool for tool in request.tools},
        heard=[_spoken(messages[place]) for place in asked[:-1]],
        said=[message.text for message in messages[:opening] if message.role == "assistant" and message.text],
        now=now,
        zone=zone,
    )
    text = _spoken(messages[opening]) if asked else ""
    return Reading(scene, text, _rounds(messages[opening:]))


def _texts(message: Message) -> list[str]:
    return [str(block.get("text", "")) for block in message.blocks if block.get("type") == "text"]


def _spoken(message: Message) -> str:
    texts = _texts(message)
    while texts and texts[0].startswith(_CONTEXT):
        del texts[0]  # the time and the channel, then what memory has to say
    return _JOB.sub("", "\n\n".join(text for text in texts if text.strip()))


def _is_spoken(message: Message) -> bool:
    has_results = any(block.get("type") == "tool_result" for block in message.blocks)
    return message.role == "user" and not has_results and bool(_spoken(message))


def _time(message: Message) -> tuple[datetime | None, str]:
    context = next(iter(_texts(message)), "")
    match = _TIME.search(context) if context.startswith(_CONTEXT) else None
    if match is None:
        return None, ""
    try:
        return datetime.fromisoformat(match[1]), match[2] or ""
    except ValueError:  # the 31st of February
        return None, ""


def _rounds(messages: Sequence[Message]) -> list[list[Outcome]]:
    results = {
        block["tool_use_id"]: block
        for message in messages
        for block in message.blocks
        if block.get("type") == "tool_result" and "tool_use_id" in block
    }
    rounds = [message.calls() for message in messages if message.role == "assistant"]
    return [[_outcome(call, results.get(call.id)) for call in calls] for calls in rounds if calls]


def _outcome(call: ToolCall, block: Mapping[str, Any] | None) -> Outcome:
    if block is None:
        return Outcome(call, "there is no result", is_error=True)
    return Outcome(call, _flat(block.get("content", "")), is_error=bool(block.get("is_error")))


def _flat(content: object) -> str:
    if isinstance(content, str):
        return content
    parts = cast("list[Mapping[str, Any]]", content) if isinstance(content, (list, tuple)) else []
    return "\n".join(str(part["text"]) if "text" in part else f"[{part.get('type', 'something')}]" for part in parts)
