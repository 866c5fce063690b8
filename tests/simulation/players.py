"""The daemon's counterparts in a simulation: a channel, a model that is a pure function, tools, a clock, an agent.

Promises that each of them takes its time, and fails while the outside is troubled, as the random numbers say. Knows no
worker.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from picklebot.agent.asking import Candidate
from picklebot.channels.base import Accepted, Incoming
from picklebot.clock import SystemClock
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.definitions.agents import AgentSpec, ModelChoice
from picklebot.errors import (
    ChannelUnavailable,
    DeliveryRejected,
    ModelRejected,
    ModelUnavailable,
    PicklebotError,
    ToolError,
)
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest, TextChunk
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.workers.company import Queue
from tests.simulation.outside import Outside, answer

START = datetime(2030, 1, 1, tzinfo=UTC)
HANG_UPS = 0.03  #: odds that the platform is gone, each time that something is expected of it
EFFECTS = {"look": Effect.PURE, "post": Effect.KEYED, "book": Effect.RECONCILE, "pay": Effect.ONCE}


class SimClock(SystemClock):
    """The machine's clock, were it started with the loop's."""

    def now(self) -> datetime:
        return START + timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()


class SimChannel:
    """A platform that knows no keys, loses its connection, refuses, hangs, and takes what it says it did not."""

    name = "sim"
    keyed = False
    max_length = None
    hint = ""

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        await self._pause(0.1)
        if self._outside.trouble(0.2):
            raise ChannelUnavailable("no route")
        async with aclosing(self._messages()) as messages:
            yield messages

    async def _messages(self) -> AsyncGenerator[Incoming, None]:
        while True:
            if self._outside.trouble(HANG_UPS):
                raise ChannelUnavailable("the connection went down")
            question = self._outside.offer(asyncio.get_running_loop().time())
            if question is None:
                await self._wait()
                continue
            source = Source(self.name, (question.peer,))
            settle = partial(self._settle, question.key)
            yield Incoming(source=source, content=question.content, key=question.key, settle=settle)

    async def _wait(self) -> None:
        later = self._outside.next_offer() - asyncio.get_running_loop().time()
        await asyncio.sleep(min(later, 3600.0))

    def _settle(self, key: str, verdict: Accepted | PicklebotError) -> None:
        if isinstance(verdict, Accepted):
            self._outside.accept(key, verdict)

    async def send(self, to: Source, content: str, *, key: str) -> str:
        await self._pause(0.3)
        if self._outside.trouble(0.15):
            raise ChannelUnavailable("busy", retry_after=self._outside.rng.choice((None, 5.0)))
        if self._outside.trouble(0.02):
            raise DeliveryRejected("blocked")
        self._outside.heard.append((to.parts[0], key, content))
        if self._outside.trouble(0.1):
            await asyncio.sleep(120.0)  # longer than anybody waits for a receipt
        await self._pause(0.3)
        if self._outside.trouble(0.1):
            raise ChannelUnavailable("the connection went down after it had taken the message")
        return f"receipt of {key}"

    async def _pause(self, most: float) -> None:
        await asyncio.sleep(self._outside.rng.uniform(0.0, most))


class SimModel:
    """Asks for the tools that a question names, step by step, and then answers it."""

    name = "sim"

    def __init__(self, outside: Outside) -> None:
        self._outside = outside
        self._speaking: set[str] = set()

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        reply, key = self._reply(request.messages)
        peer = key.partition("-")[0]
        if peer in self._speaking:
            self._outside.problems.append(f"two turns of {peer} ran at once")
        self._speaking.add(peer)
        try:
            await asyncio.sleep(self._outside.rng.uniform(0.0, 2.0))
            self._fail()
            yield TextChunk("well")
            await asyncio.sleep(self._outside.rng.uniform(0.0, 2.0))
            if self._outside.trouble(0.05):
                return  # cut off in the middle
            yield reply
        finally:
            self._speaking.discard(peer)

    async def aclose(self) -> None:
        """Hold nothing."""

    def _fail(self) -> None:
        if self._outside.trouble(0.15):
            raise ModelUnavailable("overloaded", retry_after=self._outside.rng.choice((None, 2.0, 90.0)))
        if self._outside.trouble(0.02):
            raise ModelRejected("it does not like the question")

    def _reply(self, messages: Sequence[Message]) -> tuple[ModelReply, str]:
        asked = [(at, block["text"]) for at, message in enumerate(messages) for block in message.blocks if _asks(block)]
        keys = [text.partition(":")[0][2:] for _, text in asked]
        if len(set(keys)) != len(keys):
            self._outside.problems.append(f"the model was shown a question twice: {keys}")
        for place, message in enumerate(messages):
            if message.calls() and list(self._outside.shown[message.text]) != list(messages[:place]):
                self._outside.problems.append(f"what the model had been shown before {message.text} is different now")
        at, text = asked[-1]
        ends = [n for n, message in enumerate(messages) if message.role == "assistant" and not message.calls()]
        open_ones = [text for at, text in asked if at > max(ends, default=-1)]
        n = sum(bool(message.calls()) for message in messages[at:] if message.role == "assistant")
        steps = [step.split() for step in text.partition(":")[2].split("/") if step.strip()]
        if n < len(steps):
            words = f"reply {len(self._outside.shown)}"
            self._outside.shown[words] = list(messages)
            blocks = [{"type": "text", "text": words}] + [
                {"type": "tool_use", "id": f"{n}-{i}", "name": name, "input": {}} for i, name in enumerate(steps[n])
            ]
            return ModelReply(message=Message("assistant", tuple(blocks)), stop_reason="tool_use"), keys[-1]
        return ModelReply(message=Message.assistant(answer(*open_ones)), stop_reason="end_turn"), keys[-1]


def _asks(block: Mapping[str, Any]) -> bool:
    return block.get("type") == "text" and str(block["text"]).startswith("Q ")


def sim_tools(outside: Outside) -> list[Tool]:
    """Return a tool of each effect class."""
    return [_tool(outside, name, effect) for name, effect in EFFECTS.items()]


def _tool(outside: Outside, name: str, effect: Effect) -> Tool:
    async def run(context: ToolContext, given: Mapping[str, Any]) -> str:
        await asyncio.sleep(outside.rng.uniform(0.0, 1.0))
        if outside.trouble(0.05):
            raise ToolError("not today")
        if effect is not Effect.PURE:
            outside.change(name, context.key)
        await asyncio.sleep(1000.0 if outside.trouble(0.01) else outside.rng.uniform(0.0, 1.0))
        return f"{name} is done"

    async def check(context: ToolContext, given: Mapping[str, Any]) -> str | None:
        await asyncio.sleep(outside.rng.uniform(0.0, 1.0))
        if outside.trouble(0.1):
            raise ToolError("cannot tell")
        return f"{name} was done" if (name, context.key) in outside.effects else None

    return Tool(
        name=name,
        description=name,
        input_schema={"type": "object"},
        run=run,
        effect=effect,
        check=check if effect is Effect.RECONCILE else None,
    )


class Cast:
    """One agent and one model, for everyone."""

    def __init__(self, model: SimModel, queue: Queue) -> None:
        self._spec = AgentSpec(id="echo", prompt="Answer.", max_concurrency=2, queue=queue)
        self._model = model

    def get_agent(self, agent_id: str) -> AgentSpec:
        """Return the agent."""
        return self._spec

    def candidates(self, choice: ModelChoice) -> Sequence[Candidate]:
        """Return the model."""
        return [Candidate(self._model)]
