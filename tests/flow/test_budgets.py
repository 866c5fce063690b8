"""Spend has a ceiling (P12), through the front door; the sums are those of the store."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.models.base import ModelReply, ModelRequest, Usage
from picklebot.testing import FakeChannel, ScriptedModel
from picklebot.testing.model import Line
from tests.flow.conftest import Daemon, Stored


class Priced(ScriptedModel):
    """Is asked under a name whose price is known: $2 a million tokens in, $10 out."""

    name = "claude-sonnet-5-5"


class Endless(Priced):
    """Says the same line whenever it is asked."""

    def __init__(self, line: Line) -> None:
        super().__init__()
        self._line = line

    async def _next(self, request: ModelRequest) -> ModelReply:
        self._script = [self._line]
        return await super()._next(request)


def costing(dollars: float, *blocks: dict[str, object]) -> ModelReply:
    usage = Usage(output_tokens=round(dollars * 100_000))
    message = Message("assistant", blocks or ({"type": "text", "text": "done"},))
    return ModelReply(message=message, stop_reason="tool_use" if blocks else "end_turn", usage=usage, model=Priced.name)


def settle(workspace: Path, limits: str) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write(f"limits: {{{limits}}}\n")


async def spent(stored: Stored) -> float:
    async with stored() as store:
        return sum(row.cost_usd for row in await store.ledger.spend("model"))


def slowly(reply: ModelReply) -> Callable[[ModelRequest], Awaitable[ModelReply]]:
    async def answer(request: ModelRequest) -> ModelReply:
        await asyncio.sleep(0.005)
        return reply

    return answer


@pytest.mark.parametrize(
    ("limits", "budget", "ceiling"),
    [
        ("day_usd: 1, max_concurrency: 64", "{turn_usd: 1}", 1.0),
        ("day_usd: 5, max_concurrency: 64", "{day_usd: 0.5}", 0.5),
    ],
    ids=["daemon", "agent"],
)
async def test_64_turns_at_once_never_pass_the_ceiling(
    daemon: Daemon,
    channel: FakeChannel,
    agent: Callable[..., None],
    workspace: Path,
    stored: Stored,
    limits: str,
    budget: str,
    ceiling: float,
) -> None:
    settle(workspace, limits)
    agent("echo", max_concurrency=64, budget=budget)
    async with daemon(Endless(slowly(costing(0.03))), channel):
        for n in range(64):
            await channel.say("x", peer=f"p{n}")
        said = [text for _, text in [await channel.heard() for _ in range(64)]]
    paid = said.count("done")
    assert sum("is used up" in text for text in said) == 64 - paid
    # A worst case is a little above 8 cents, and what is refused for it stays below the ceiling by less than that.
    assert ceiling - 0.09 < await spent(stored) <= ceiling
