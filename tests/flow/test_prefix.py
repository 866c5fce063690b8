"""A prompt cache reads only what is the same from the start: what a session sends begins with what it sent before."""

import asyncio
import itertools
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from picklebot.core.events import DefinitionChanged
from picklebot.core.messages import Message
from picklebot.testing import FakeChannel, FakeClock
from picklebot.testing.messages_api import MessagesApi
from picklebot.testing.prompt_cache import cached_prefix
from tests.flow.conftest import Served

THOUGHT = {"type": "thinking", "thinking": "What would help?", "signature": "sig-of-a-thought=="}


def call(name: str, number: int = 0, **given: Any) -> dict[str, Any]:
    return {"type": "tool_use", "id": f"c{number}_{name}", "name": name, "input": given}


def answer(body: Mapping[str, Any]) -> str | Message:
    """Think, and use tools where the person says so: many at once, a note, another agent."""
    if "You are cookie" in json.dumps(body["system"]):
        return "crumbs"
    last = body["messages"][-1]["content"]
    if any(block["type"] == "tool_result" for block in last):
        return Message("assistant", (THOUGHT, {"type": "text", "text": "That is done."}))
    words, turn = last[-1]["text"], len(body["messages"])
    if "look" in words:
        calls = [call("glob", turn * 100 + n, pattern=f"*.{n}") for n in range(15)]
        return Message("assistant", (THOUGHT, *calls))
    if "remember" in words:
        return Message("assistant", (THOUGHT, call("save_memory", turn, topic="tea", content=words)))
    if "cookie" in words:
        return Message("assistant", (THOUGHT, call("subagent_dispatch", turn, agent_id="cookie", task="crumbs")))
    return Message("assistant", (THOUGHT, {"type": "text", "text": f"You said: {words}"}))


def of(agent: str, api: MessagesApi) -> list[bytes]:
    return [each.content for each in api.requests if f"You are {agent}" in json.dumps(each.body["system"])]


async def test_ten_turns_of_a_session_have_one_prefix_up_to_the_last_cache_mark(
    served: Served, channel: FakeChannel, clock: FakeClock, agent: Callable[..., None], workspace: Path
) -> None:
    said = ["hello", "look around", "remember: tea", "tea?", "ask cookie", "look again", "hm", "remember: milk", "so"]
    notes = workspace / "memories/topics"
    notes.mkdir(parents=True)
    async with MessagesApi(default=answer) as api:
        async with served(api) as app:
            for words in said:
                (notes / f"{words[:3]}.md").write_text(f"Something was written down about: {words}.\n")
                await channel.say(words)
                await channel.heard()
                clock.advance(hours=9)
                if words == "hm":
                    with app.bus.subscribe(DefinitionChanged) as changes:  # that says nothing new to its model
                        agent("pickle", prompt="You are pickle.", max_concurrency=3)
                        async with asyncio.timeout(10):
                            await anext(changes)
        async with served(api) as app:
            await channel.say("after a restart")
            await channel.heard()
            shares = {row.key: row.cached_share for row in await app.store.ledger.spend("agent")}
        sent = of("pickle", api)
    assert len(sent) == 10 + 5
    for before, after in itertools.pairwise(sent):
        prefix = cached_prefix(before)
        assert prefix == cached_prefix(after)[: len(prefix)]
        assert b'"signature":"sig-of-a-thought=="' in after
    assert shares["pickle"] > 0.8
    assert sent[-1].count(b"Something was written down about") >= 3, "notes were recalled on the way"


async def test_what_a_step_with_many_calls_asks_next_is_read_from_the_cache_up_to_where_it_asked_before(
    served: Served, channel: FakeChannel
) -> None:
    async with MessagesApi(default=answer) as api, served(api) as app:
        await channel.say("look around")
        await channel.heard()
        [turn] = await app.store.reports.turns((await app.store.sessions.recent())[0].id)
    first, second = (step.reply.usage for step in turn.steps)
    assert second.cache_read_tokens == first.context_tokens
    assert second.input_tokens == 0
