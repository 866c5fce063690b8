"""One block of an answer, while its pieces arrive.

Promises that a finished block is what the endpoint meant, unknown kinds and fields included, and that the input of
a tool call is either a complete, unambiguous object or empty with a reason beside it. Knows nothing of its neighbours.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from picklebot.core.messages import Block
from picklebot.core.text import clean
from picklebot.models import strict_json
from picklebot.models.base import TextChunk, ThinkingChunk

MAX_INPUT_BYTES = 2_000_000
MAX_INPUT_DEPTH = 64


class Garbled(ValueError):
    """The pieces cannot be what an endpoint meant to send."""


class OpenBlock:
    """A block between its start and its stop."""

    def __init__(self, block: Mapping[str, Any]) -> None:
        if not isinstance(block.get("type"), str):
            raise Garbled("a block has no type")
        self.block = dict(block)
        self.size = len(json.dumps(self.block))
        self._pieces: dict[str, list[str]] = {}

    @property
    def is_call(self) -> bool:
        """Whether this block wants a tool of ours to run."""
        return bool(self.block["type"] == "tool_use")

    def add(self, delta: Mapping[str, Any]) -> TextChunk | ThinkingChunk | None:
        """Take one piece, and return what of it can be shown."""
        match delta.get("type"):
            case "text_delta":
                return TextChunk(self._append("text", delta.get("text")))
            case "thinking_delta":
                return ThinkingChunk(self._append("thinking", delta.get("thinking")))
            case "input_json_delta":
                self._append("input", delta.get("partial_json"))
            case "signature_delta":
                self._set("signature", delta.get("signature"))
            case "citations_delta":
                self._cite(delta.get("citation"))
            case "compaction_delta":
                for name in ("content", "encrypted_content"):
                    if name in delta:
                        self._set(name, delta[name])
            case _:
                pass  # a kind of piece that is newer than this code
        return None

    def close(self) -> str | None:
        """Put the pieces together; return why the input is unusable, if it is."""
        for name in ("text", "thinking"):
            if name in self._pieces:
                self.block[name] = _mend(str(self.block.get(name) or "") + "".join(self._pieces[name]))
        if "text" in self._pieces:
            self.block["text"] = clean(self.block["text"])
        if "input" not in self._pieces and "input" not in self.block and not self.is_call:
            return None
        raw = "".join(self._pieces.get("input", ()))
        # A few servers send the whole input with the start, and no pieces.
        self.block["input"], problem = _parse(raw or json.dumps(self.block.get("input", {}), ensure_ascii=False))
        return problem

    def _append(self, name: str, piece: object) -> str:
        if not isinstance(piece, str):
            raise Garbled(f"a piece of {name} is not text")
        self._pieces.setdefault(name, []).append(piece)
        self.size += len(piece) if piece.isascii() else len(piece.encode("utf-8", "surrogatepass"))
        return piece

    def _set(self, name: str, value: object) -> None:
        self.block[name] = value
        self.size += len(json.dumps(value))

    def _cite(self, citation: object) -> None:
        self.block["citations"] = [*cast(list[object], self.block.get("citations") or []), citation]
        self.size += len(json.dumps(citation))


def name_calls(entries: Sequence[OpenBlock], problems: Mapping[int, str]) -> tuple[tuple[Block, ...], dict[str, str]]:
    """Return the finished blocks, and call id -> why not for calls that must not run.

    Every call gets a name and an id of its own: a conversation with two calls of one id would be refused for ever.
    """
    taken = {str(entry.block.get("id")) for entry in entries if entry.is_call}
    used: set[str] = set()
    unusable: dict[str, str] = {}
    blocks: list[Block] = []
    for index, entry in enumerate(entries):
        block, problem = dict(entry.block), problems.get(index)
        blocks.append(block)
        if not entry.is_call:
            continue
        call_id, name = block.get("id"), block.get("name")
        if not isinstance(name, str) or not name:
            block["name"], problem = "unnamed", "the call names no tool"
        if not isinstance(call_id, str) or not call_id:
            call_id, problem = _fresh("call", index, taken), "the call has no id"
        elif call_id in used:
            problem = f"the id {call_id!r} was already used by another call"
            call_id = _fresh(call_id, index, taken)
        block["id"] = call_id
        used.add(call_id)
        if problem:
            block["input"], unusable[call_id] = {}, problem
    return tuple(blocks), unusable


def _fresh(stem: str, index: int, taken: set[str]) -> str:
    while (fresh := f"{stem}_{index}") in taken:
        stem = fresh
    taken.add(fresh)
    return fresh


def _parse(raw: str) -> tuple[dict[str, Any], str | None]:
    try:
        value = strict_json.loads(raw, max_bytes=MAX_INPUT_BYTES, max_depth=MAX_INPUT_DEPTH)
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return {}, "the input holds half of a character (a lone surrogate)"
    except ValueError as exc:
        return {}, f"the input cannot be used: {exc}"
    if not isinstance(value, dict):
        return {}, f"the input must be a JSON object, not {_KINDS[type(value)]}"
    return cast(dict[str, Any], value), None


_KINDS: dict[type, str] = {
    list: "a list",
    str: "a string",
    int: "a number",
    float: "a number",
    bool: "true or false",
    type(None): "null",
}


def _mend(text: str) -> str:
    """Join surrogates that two pieces split between them, and replace those that stay alone."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
