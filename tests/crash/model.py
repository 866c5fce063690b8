"""A model whose every answer is a function of the conversation: a message says what it wants done.

    m17 tools=pay,look steps=3          three steps, one call each: pay, look, pay; then the answer
    m17 tools=pay,look steps=3 all      three steps, both calls at once in each

    m17 tools=hand steps=1              the other agent is asked, for two steps of its own: pay, then look

The answer is `done m17`, then what came of each call: `m17.0.0=ok`, `unknown` or `error`. Promises the real API's
refusals, so a conversation that a crash has broken is noticed. Knows no daemon.
"""

import asyncio
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from picklebot.core.messages import Message
from picklebot.testing.faults import Answer, Fault, Plan
from picklebot.testing.messages_api import MessagesApi
from tests.crash.moments import Moments

TOOLS = ("pay", "look", "post", "put")
HAND, MATE = "hand", "mate"  #: the wish to have another agent do something, and that agent
_WISH = re.compile(r"(?P<name>m\d+(?:c\d+)?)(?: tools=(?P<tools>[a-z,]+))?(?: steps=(?P<steps>\d+))?(?P<all> all)?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a message wants done. In `together`, all its tools are called in each step."""

    name: str
    tools: Sequence[str] = ()
    steps: int = 0
    together: bool = False

    @classmethod
    def parse(cls, text: str) -> "Wish":
        """Read what `str` wrote."""
        match = _WISH.fullmatch(text)
        assert match is not None, f"{text!r} is not a wish"
        tools = match["tools"].split(",") if match["tools"] else []
        return cls(name=match["name"], tools=tools, steps=int(match["steps"] or 0), together=bool(match["all"]))

    def __str__(self) -> str:
        tools = f" tools={','.join(self.tools)} steps={self.steps}" if self.tools else ""
        return f"{self.name}{tools}{' all' if self.together else ''}"

    def calls(self, step: int) -> list[dict[str, Any]]:
        """Return the calls of a step, named for where they stand."""
        tools = self.tools if self.together else [self.tools[step % len(self.tools)]]
        return [
            {"type": "tool_use", "id": f"{self.name}-{step}-{n}", **self._call(tool, step, n)}
            for n, tool in enumerate(tools)
        ]

    def _call(self, tool: str, step: int, n: int) -> dict[str, Any]:
        if tool == HAND:
            task = f"{self.name}c{step}{n} tools=pay,look steps=2"
            return {"name": "subagent_dispatch", "input": {"agent_id": MATE, "task": task}}
        return {"name": tool, "input": {"item": self.item(step, n)}}

    def item(self, step: int, n: int) -> str:
        """Return what the n-th call of a step works on: one item, one call."""
        return f"{self.name}.{step}.{n}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A line of the log: in which life of the daemon, by its key, the model was asked for which step of what."""

    life: str
    name: str
    step: int


class CrashModel:
    """Answers over the Messages API, after a pause between the two `pauses`, in seconds."""

    def __init__(self, moments: Moments, *, pauses: tuple[float, float] = (0.0, 0.0), chance: random.Random) -> None:
        self.log: list[Asked] = []
        self.api = MessagesApi(default=self._answer, keep=50)
        self._moments = moments
        self._pauses = pauses
        self._chance = chance

    def _answer(self, body: Mapping[str, Any]) -> Message | Fault:
        wish, done = read(body["messages"])
        step = len(done)
        life = self.api.requests[-1].headers["authorization"]
        self.log.append(Asked(life=life, name=wish.name, step=step))
        self._moments.see("asked", wish.name)
        pause = self._chance.uniform(*self._pauses)
        loop = asyncio.get_running_loop()
        if pause:
            loop.call_later(pause + 0.001, self._moments.see, "answered", wish.name)
            return _paused(pause, _reply(wish, done))
        loop.call_soon(self._moments.see, "answered", wish.name)  # the answer is written when we have returned
        return _reply(wish, done)


def read(messages: Sequence[Mapping[str, Any]]) -> tuple[Wish, list[Sequence[Mapping[str, Any]]]]:
    """Return the last wish of a conversation, and the results of each of its steps so far."""
    done: list[Sequence[Mapping[str, Any]]] = []
    for message in reversed(messages):
        if message["role"] != "user":
            continue
        results = [block for block in message["content"] if block["type"] == "tool_result"]
        if not results:
            return Wish.parse(message["content"][-1]["text"]), done[::-1]
        done.append(results)
    raise AssertionError("a conversation without a message of its user")


def _reply(wish: Wish, done: Sequence[Sequence[Mapping[str, Any]]]) -> Message:
    step = len(done)
    if step < wish.steps:
        return Message("assistant", tuple(wish.calls(step)))
    said = [
        f"{wish.item(n, k)}={_came_of(result)}" for n, results in enumerate(done) for k, result in enumerate(results)
    ]
    return Message.assistant(" ".join([f"done {wish.name}", *said]))


def _paused(seconds: float, reply: Message) -> Fault:
    """Answer after a while, in one write."""

    def plan(answer: Answer) -> Plan:
        content = b"".join(answer.pieces)
        return (seconds, b"%s%x\r\n%s\r\n0\r\n\r\n" % (answer.head, len(content), content))

    return Fault(name="paused", plan=plan, message=reply)


def _came_of(result: Mapping[str, Any]) -> str:
    content = result["content"]
    text = content if isinstance(content, str) else content[0]["text"]
    if text.startswith("UNKNOWN"):
        return "unknown"
    return "error" if result.get("is_error") else "ok"
