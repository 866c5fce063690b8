"""Messages of a conversation with a model, in the Messages API's own shape.

Blocks are kept as they came, unknown kinds and signatures included, because the API wants them back
unchanged. Promises that they stay so. Knows no model, and no storage: identity lives elsewhere.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from picklebot.core.marks import NO_MARKS, Marks

_encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode

Role: TypeAlias = Literal["user", "assistant"]
Block: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's wish to run a tool. `problem` says why its input cannot be trusted, if it cannot."""

    id: str
    name: str
    input: Mapping[str, Any]
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What came of a call: text, or blocks in wire form."""

    call_id: str
    content: str | Sequence[Block]
    is_error: bool = False
    marks: Marks = NO_MARKS
    """What a turn that reads it has read; no part of what the model is told."""

    def block(self) -> Block:
        """Return the `tool_result` block that tells the model."""
        content = self.content if isinstance(self.content, str) else [dict(block) for block in self.content]
        block: dict[str, Any] = {"type": "tool_result", "tool_use_id": self.call_id, "content": content}
        if self.is_error:
            block["is_error"] = True
        return block


@dataclass(frozen=True, slots=True)
class Message:
    """One entry of a conversation: who spoke, and the blocks as they were spoken."""

    role: Role
    blocks: tuple[Block, ...]
    problems: Mapping[str, str] = field(default_factory=dict[str, str])
    """Call id -> why that call's input was unusable; set by the model adapter, not sent back."""

    @classmethod
    def user(cls, *texts: str) -> "Message":
        """Return what a person said, each text a block."""
        return cls("user", tuple({"type": "text", "text": text} for text in texts))

    @classmethod
    def assistant(cls, text: str) -> "Message":
        """Return a plain answer."""
        return cls("assistant", ({"type": "text", "text": text},))

    @classmethod
    def results(cls, results: Sequence[ToolResult], note: str = "") -> "Message":
        """Return the user message that answers an assistant's calls, in their order."""
        blocks: list[Block] = [result.block() for result in results]
        if note:
            blocks.append({"type": "text", "text": note})
        return cls("user", tuple(blocks))

    @property
    def text(self) -> str:
        """All of its text blocks, joined by blank lines where there is more than one."""
        return "\n\n".join(b["text"] for b in self.blocks if b.get("type") == "text" and b.get("text"))

    def calls(self) -> list[ToolCall]:
        """Return its tool calls, in order."""
        return [
            ToolCall(b["id"], b["name"], b["input"], self.problems.get(b["id"]))
            for b in self.blocks
            if b.get("type") == "tool_use"
        ]

    def wire(self) -> dict[str, Any]:
        """Return it as the API takes it. Shared, not copied: treat it as read-only."""
        return {"role": self.role, "content": list(self.blocks)}

    def to_json(self) -> str:
        """Return the blocks as the JSON array that `from_json` reads."""
        return _encode(self.blocks)

    @classmethod
    def from_json(cls, role: Role, blocks: str) -> "Message":
        """Read what `to_json` wrote."""
        return cls(role, tuple(json.loads(blocks)))
