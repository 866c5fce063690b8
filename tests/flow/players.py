"""A model that plays every agent, and what agents do that call one another."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any, TypeAlias

from picklebot.core.events import DispatchEvent
from picklebot.core.messages import Message
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest
from picklebot.store.sqlite import SqliteStore
from picklebot.testing import FakeClock, ScriptedModel

Line: TypeAlias = "str | Message | ModelReply | Exception | Callable[[ModelRequest], Line | Awaitable[Line]]"
Answer: TypeAlias = Callable[[ModelRequest], "Line | Awaitable[Line]"]
MINE = '''
import asyncio
from pathlib import Path
from picklebot.tools.base import Effect
from picklebot.tools.function import tool

LEDGER = Path(__file__).parent / "ledger"

@tool
async def pay(amount: int) -> str:
    """Pay, once."""
    with LEDGER.open("a") as file:
        file.write(f"{amount}\\n")
    return "paid"

@tool
async def slow() -> str:
    """Take a moment."""
    await asyncio.sleep(0.1)
    return "slowly"
'''

MARKED = '''
from picklebot.tools.base import Effect, ToolContext
from picklebot.tools.function import reach, tool

@reach(outside=True)
@tool(effect=Effect.PURE)
async def web() -> str:
    """Something from outside."""
    return "buy pickles"

@reach(private=True)
@tool(effect=Effect.PURE)
async def diary() -> str:
    """Something private."""
    return "dear diary"

@tool(effect=Effect.PURE)
async def marks(context: ToolContext) -> str:
    """What was read when this call was made."""
    return " ".join(sorted(context.marks)) or "nothing"
'''


class Players:
    """A model that answers for each agent with a function of the request."""

    name = "scripted"

    def __init__(self, **answers: Answer) -> None:
        self._answers = answers
        self.requests: dict[str, list[ModelRequest]] = {agent: [] for agent in answers}

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        agent = request.system.split()[2].rstrip(".")
        self.requests[agent].append(request)
        async for event in ScriptedModel(self._answers[agent]).stream(request):
            yield event

    async def aclose(self) -> None: ...


def call(agent: str, task: str, call_id: str = "c1") -> dict[str, Any]:
    return {"type": "tool_use", "id": call_id, "name": "subagent_dispatch", "input": {"agent_id": agent, "task": task}}


def asks(agent: str, task: str = "do it") -> Answer:
    """Call `agent`, then answer with what came of it."""

    def answer(request: ModelRequest) -> Line:
        if results := results_of(request):
            return " & ".join(results)
        return Message("assistant", (call(agent, task),))

    return answer


def results_of(request: ModelRequest) -> list[str]:
    """Return the contents of the tool results that the last message brings."""
    return [
        str(block["content"] if isinstance(block["content"], str) else block["content"][0]["text"])
        for block in request.messages[-1].blocks
        if block["type"] == "tool_result"
    ]


def uses(*names: str, **given: Any) -> Message:
    """Call tools side by side."""
    return Message(
        "assistant",
        tuple({"type": "tool_use", "id": f"{name}-{n}", "name": name, "input": given} for n, name in enumerate(names)),
    )


def last(request: ModelRequest) -> str:
    return results_of(request)[-1]


def says(words: str) -> Answer:
    return lambda request: words


def looking(step: int) -> Message:
    """Read some file that is not there."""
    call_id, path = f"r{step}", f"nothing-{step}"
    return Message("assistant", ({"type": "tool_use", "id": call_id, "name": "glob", "input": {"pattern": path}},))


def paying(amount: int) -> Message:
    return Message("assistant", ({"type": "tool_use", "id": "p1", "name": "pay", "input": {"amount": amount}},))


async def crash(store: SqliteStore) -> None:
    """Begin everything that is open, callers first and then those whom they called, and never end it."""
    now = FakeClock().now()
    for session_id, _ in await store.inbox.due(now, limit=9):
        turn = await store.inbox.begin(session_id, now, alone=True)
        if turn is not None and isinstance(turn.event, DispatchEvent):
            await store.dispatches.excuse(turn.event.cause_id or "")
