"""A model that knows nothing but what it is shown: it answers from the prompt, and sums up what it is given."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, TypeAlias

from picklebot.core.messages import Message
from picklebot.testing import FakeChannel
from picklebot.testing.faults import Fault

Part: TypeAlias = Literal["flush", "summary", "turn"]
WINDOW = 20_000  #: tokens that the server takes
KNOWN = f"context: {{windows: {{claude-sonnet-5-5: {WINDOW}}}}}"
FACT = "The code of the shed is 4711-a"
LATER = "The name of the cat is Miezi-7. "
FILLER = "And then we talked about the weather of the north, which was grey and mild again. " * 37  # 750 tokens
_FACT = re.compile(r"The [a-z]+ of the [a-z]+ is [\w/-]*\w")


def words_of(body: Mapping[str, Any]) -> str:
    """Return every text that a request shows, results included."""
    found: list[str] = []
    for message in body["messages"]:
        for block in message["content"]:
            content = block.get("text") or block.get("content") or ""
            found.append(content if isinstance(content, str) else str(content))
    return "\n".join(found)


def part_of(body: Mapping[str, Any]) -> Part:
    """Return what a request asks for."""
    if "You keep the record" not in body["system"][0]["text"]:
        return "turn"
    return "summary" if "write the record" in body["messages"][-1]["content"][-1]["text"] else "flush"


@dataclass(kw_only=True)
class Clerk:
    """Answers each request by what stands in it. `summaries` are said instead of the first ones that it would write."""

    summaries: list[str | Message | Fault] = field(default_factory=list[str | Message | Fault])
    saves: bool = True
    asked: list[Part] = field(default_factory=list[Part])
    shown: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])

    def __call__(self, body: Mapping[str, Any]) -> str | Message | Fault:
        """Return the answer to a request."""
        part = part_of(body)
        self.asked.append(part)
        self.shown.append(body)
        facts = list(dict.fromkeys(_FACT.findall(words_of(body))))
        match part:
            case "flush" if self.saves and facts:
                return Message("assistant", (self._saving(facts),))
            case "flush":
                return "Nothing."
            case "summary" if self.summaries:
                return self.summaries.pop(0)
            case "summary":
                return "What is known: " + "; ".join(facts)
            case "turn":
                return self._turn(body, facts)

    def _saving(self, facts: list[str]) -> Mapping[str, Any]:
        given = {"topic": "facts", "content": "; ".join(facts)}
        return {"type": "tool_use", "id": f"note{len(self.asked)}", "name": "save_memory", "input": given}

    def _turn(self, body: Mapping[str, Any], facts: list[str]) -> str | Message:
        last = body["messages"][-1]["content"]
        text = next((block["text"] for block in reversed(last) if block["type"] == "text"), "")
        if asked := re.search(r"What is the ([a-z]+) of the ([a-z]+)", text):
            head = f"The {asked[1]} of the {asked[2]} is "
            return next((fact for fact in facts if fact.startswith(head)), "I do not know.")
        if (each := re.search(r"Read (\d+) one by one", words_of(body))) and "What is" not in text:
            paths = [b["input"]["path"] for m in body["messages"] for b in m["content"] if b["type"] == "tool_use"]
            last = int(paths[-1].partition(".")[0]) if paths else -1
            return f"I have read {last + 1}." if last + 1 == int(each[1]) else self._reading(1, first=last + 1)
        results = sum(block["type"] == "tool_result" for block in last)
        if (reads := re.match(r"Read (\d+) times", text)) and not results:
            return self._reading(int(reads[1]))
        return f"Noted, with {results} results."

    def _reading(self, times: int, first: int = 0) -> Message:
        calls = [
            {"type": "tool_use", "id": f"r{len(self.asked)}x{n}", "name": "read_file", "input": {"path": f"{n}.txt"}}
            for n in range(first, first + times)
        ]
        return Message("assistant", tuple(calls))


def saved(workspace: Path) -> str:
    """Return all notes of a workspace."""
    return "\n".join(file.read_text() for file in sorted((workspace / "memories").rglob("*.md")))


async def ask(channel: FakeChannel, words: str) -> str:
    await channel.say(words)
    return (await channel.heard())[1]


async def talk(channel: FakeChannel, turns: int) -> list[str]:
    """Talk for so many turns; in the middle of one of the first stands a fact."""
    return [await ask(channel, f"Turn {n}. {FILLER}{LATER if n == 3 else ''}{FILLER}") for n in range(turns)]


def is_paired(body: Mapping[str, Any]) -> bool:
    """Return whether every call is answered in the next message, and every result was called for."""
    asked: set[str] = set()
    for message in body["messages"]:
        results = {block["tool_use_id"] for block in message["content"] if block["type"] == "tool_result"}
        if results != asked:
            return False
        asked = {block["id"] for block in message["content"] if block["type"] == "tool_use"}
    return not asked
