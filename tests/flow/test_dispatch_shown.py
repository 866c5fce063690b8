"""Two agents, a binding and a dispatch, over the Messages API: the real client, the real store, one slot each."""

import asyncio
import json
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from picklebot.app import open_app
from picklebot.config import load
from picklebot.core.messages import Message
from picklebot.testing import FakeChannel
from picklebot.testing.messages_api import MessagesApi
from picklebot.workspace import Workspace

TURNS = 50
CONFIG = """\
default_agent: cookie
model: {{provider: anthropic, name: claude-sonnet-5-5, base_url: "{url}"}}
routing: {{bindings: [{{source: "fake:.*", agent: pickle}}]}}
limits: {{max_concurrency: 2, turn_usd: 100, day_usd: 10000}}
gateway: {{enabled: false}}
"""


def answer(body: Mapping[str, Any]) -> str | Message:
    system = json.dumps(body["system"])
    last = body["messages"][-1]["content"]
    words = next((block["text"] for block in reversed(last) if block["type"] == "text"), "")
    if "You are cookie" in system:
        return f"crumbs for {words.split()[-1]}"
    for block in last:
        if block["type"] == "tool_result":
            content = block["content"]
            return f"cookie says: {content if isinstance(content, str) else content[0]['text']}"
    task = f"crumbs, please, for {words.split()[-1]}"
    call = {"type": "tool_use", "id": f"c-{words.split()[-1]}", "name": "subagent_dispatch"}
    return Message("assistant", (call | {"input": {"agent_id": "cookie", "task": task}},))


async def test_fifty_turns_that_each_call_another_agent_finish_with_one_slot_for_each_agent(
    workspace: Path, agents: Callable[..., None], channel: FakeChannel
) -> None:
    agents(pickle={"max_concurrency": 1}, cookie={"max_concurrency": 1})
    async with MessagesApi(default=answer) as api, asyncio.timeout(60):
        (workspace / "config.yaml").write_text(CONFIG.format(url=api.url))
        stop, ready = asyncio.Event(), asyncio.Event()
        async with open_app(load(Workspace(workspace), {}), channels=[channel]) as app, asyncio.TaskGroup() as group:
            group.create_task(app.run(stop, ready=ready.set), name="daemon")
            await ready.wait()
            for number in range(TURNS):
                await channel.say(f"call for p{number}", peer=f"p{number}")
            heard = dict([await channel.heard() for _ in range(TURNS)])
            counts = await app.store.ledger.counts()
            stop.set()
    assert all(f"crumbs for p{number}" in heard[f"p{number}"] for number in range(TURNS))
    assert (counts.accepted, counts.done, counts.open) == (2 * TURNS, 2 * TURNS, 0)
    assert api.request_count == 3 * TURNS
    assert Counter(json.dumps(each.body["system"]).count("You are cookie") for each in api.requests)[1] == TURNS
