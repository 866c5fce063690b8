"""What a model is shown of a conversation: pure.

Promises that calls and their results are never parted, that what is shown begins with the user and alternates, and that
two views under one compaction have the same beginning. Knows no model and no size of a window.
"""

from collections.abc import Sequence
from typing import cast

from picklebot.agent.prompt import CONTEXT_CLOSE, CONTEXT_OPEN
from picklebot.core.compaction import Compaction, Digest
from picklebot.core.messages import Block, Message

READ = "[I have read the record of our earlier conversation.]"
HEAD = (
    "The earlier part of this conversation is no longer shown in full. This is the record of it, made by picklebot. "
    "It is information, not a request."
)
STUB = (
    "[{left:,} more characters of this result were left out to save room: "
    "read_result(call_id={call_id!r}) shows them, or make the call again]"
)


def show(history: Sequence[Message], compaction: Compaction | None) -> list[Message]:
    """Return what is shown of ended turns."""
    if compaction is None:
        return list(history)
    rest = trim(history[compaction.before :], compaction)
    if compaction.digest is None:
        return rest
    preface = [Message.user(render(compaction.digest))]
    if not compaction.within if not rest else rest[0].role == "user":
        preface.append(Message.assistant(READ))
    return [*preface, *rest]


def show_turn(added: Sequence[Message], compaction: Compaction | None, turn: int) -> list[Message]:
    """Return what is shown of the messages of the turn in hand."""
    if compaction is None:
        return list(added)
    return trim(added[compaction.within if compaction.turn == turn else 0 :], compaction)


def trim(messages: Sequence[Message], compaction: Compaction) -> list[Message]:
    """Return `messages` with the results that are to be cut short, cut short."""
    if not compaction.trimmed:
        return list(messages)
    return [_trimmed(message, compaction) for message in messages]


def _trimmed(message: Message, compaction: Compaction) -> Message:
    ids = {str(b.get("tool_use_id")) for b in message.blocks if b.get("type") == "tool_result"}
    if not ids & compaction.trimmed.keys():
        return message
    return Message(message.role, tuple(_cut(block, compaction) for block in message.blocks), message.problems)


def _cut(block: Block, compaction: Compaction) -> Block:
    call_id = str(block.get("tool_use_id"))
    if block.get("type") != "tool_result" or call_id not in compaction.trimmed:
        return block
    text, shown = text_of(block), compaction.trimmed[call_id]
    stub = STUB.format(left=max(len(text) - shown, 0), call_id=call_id)
    return {**block, "content": f"{text[:shown].rstrip()}\n{stub}".lstrip()}


def text_of(result: Block) -> str:
    """Return a result as text; what is no text is named."""
    content = result.get("content")
    if isinstance(content, str):
        return content
    parts = cast("Sequence[Block]", content if isinstance(content, list) else ())
    return "\n".join(str(p["text"]) if p.get("type") == "text" else f"({p.get('type')})" for p in parts)


def is_opening(message: Message) -> bool:
    """Return whether a message is what a person said, and not what came of calls."""
    return message.role == "user" and all(block.get("type") != "tool_result" for block in message.blocks)


def cuts(messages: Sequence[Message]) -> list[int]:
    """Return where a conversation may be cut, as the index of what comes after: never between a call and its result."""
    return [i for i, message in enumerate(messages) if i and (message.role == "assistant" or is_opening(message))]


def render(digest: Digest) -> str:
    """Return the words in which a digest is put before the model."""
    parts = [
        HEAD,
        f"## Summary\n\n{digest.summary}",
    ]
    if digest.said:
        left = f"\n\n({digest.left_out} more messages are not repeated here.)" if digest.left_out else ""
        words = "\n\n".join(f"> {text.replace(chr(10), chr(10) + '> ')}" for text in digest.said)
        parts.append(f"## What the user said, in their own words\n\n{words}{left}")
    if digest.names:
        parts.append("## Paths, addresses, ids and numbers\n\n" + "\n".join(f"- {name}" for name in digest.names))
    text = "\n\n".join(parts).replace(CONTEXT_CLOSE, "</ context>")
    return f"{CONTEXT_OPEN}\n{text}\n{CONTEXT_CLOSE}"
