"""Talking with the offline stand-in: a scene with every tool of the contract, and what it makes of a text."""

from collections.abc import Mapping, Sequence
from typing import Any

from picklebot.core.messages import Message, ToolResult
from picklebot.models.base import ModelRequest, ToolSchema
from picklebot.models.offline import answer

CONTEXT = "<context>\nTime: 2026-11-21 10:00 (Saturday), Europe/Berlin\nSession: s1\nChannel: cli:ann\n</context>"
INPUTS = {
    "bash": "command timeout?",
    "cancel_task": "id",
    "edit_file": "path old new",
    "glob": "pattern",
    "grep": "pattern path?",
    "list_tasks": "",
    "post_message": "content",
    "read_file": "path offset? limit?",
    "save_memory": "topic content",
    "schedule_task": "prompt schedule? at? every? timezone?",
    "search_memory": "query",
    "subagent_dispatch": "agent_id task",
    "use_skill": "name",
    "web_fetch": "url",
    "web_search": "query",
    "write_file": "path content",
}


def schema(inputs: str) -> dict[str, Any]:
    names = inputs.split()
    return {
        "type": "object",
        "properties": {name.rstrip("?"): {"type": "string"} for name in names},
        "required": [name for name in names if not name.endswith("?")],
        "additionalProperties": False,
    }


TOOLS = [ToolSchema(name=name, description="", input_schema=schema(inputs)) for name, inputs in INPUTS.items()]


def opening(text: str) -> Message:
    return Message.user(CONTEXT, text)


def asking(*messages: Message, tools: Sequence[ToolSchema] = TOOLS) -> ModelRequest:
    return ModelRequest(system="You are Pickle.", messages=messages, tools=tools)


def calls(text: str) -> list[tuple[str, Mapping[str, Any]]]:
    return [(call.name, call.input) for call in answer(asking(opening(text))).calls()]


def said(text: str, tools: Sequence[ToolSchema] = TOOLS) -> str:
    message = answer(asking(opening(text), tools=tools))
    assert not message.calls()
    return message.text


def after(text: str, *results: str, is_error: bool = False) -> str:
    """Return what is said when every call of the first round is answered, in order, by `results`."""
    asked = answer(asking(opening(text)))
    done = [ToolResult(call.id, result, is_error) for call, result in zip(asked.calls(), results, strict=True)]
    told = answer(asking(opening(text), asked, Message.results(done)))
    assert not told.calls()
    return told.text
