"""A conversation as text: who said what, and which tools were used. Knows the shape of the gateway's answer only."""

from collections.abc import Iterator, Mapping
from typing import Any

from picklebot.core.text import shorten

RESULT = 300  #: characters shown of what a tool was given, or gave


def transcript(found: Mapping[str, Any], messages: int) -> str:
    """Return the last messages of a session."""
    session, said = found["session"], found["messages"]
    head = f"{session['agent']} with {session['source']}, {session['turns']} turns, last {session['updated_at']}"
    left_out = len(said) - messages
    if left_out > 0:
        head += f" ({left_out} earlier messages are not shown)"
    lines = [line for message in said[max(0, left_out) :] for line in _lines(message)]
    return "\n\n".join([head, *lines])


def _lines(message: Mapping[str, Any]) -> Iterator[str]:
    content = message["content"]
    for block in [{"type": "text", "text": content}] if isinstance(content, str) else content:
        match block["type"]:
            case "text" if not block["text"].startswith("<context>"):  # what the agent was told beside
                yield f"{message['role']}: {block['text']}"
            case "tool_use":
                yield f"{message['role']} uses {block['name']}: {shorten(str(block['input']), RESULT)}"
            case "tool_result":
                yield f"result: {shorten(_text(block.get('content')), RESULT)}"
            case "text" | "thinking" | "redacted_thinking":
                pass
            case kind:
                yield f"{message['role']}: ({kind})"


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return " ".join(str(part.get("text", f"({part.get('type')})")) for part in content or ())
