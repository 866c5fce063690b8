"""A server of the reference ones, as anybody would configure it: `mcp-server-time`, from the registry of packages."""

import json
import sys
from pathlib import Path

from picklebot.core.messages import Message
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon
from tests.flow.conftest import channel as channel
from tests.flow.conftest import clock as clock
from tests.flow.conftest import configure as configure
from tests.flow.conftest import daemon as daemon

ASKED = {"source_timezone": "Asia/Tokyo", "target_timezone": "UTC", "time": "12:30"}


async def test_a_server_from_the_registry_works_through_the_configuration(
    daemon: Daemon, channel: FakeChannel, workspace: Path
) -> None:
    command = json.dumps([sys.executable, "-m", "mcp_server_time", "--local-timezone", "Europe/Vienna"])
    with (workspace / "config.yaml").open("a") as file:
        file.write(f"mcp_servers: {{time: {{command: {command}}}}}\n")
    call = {"type": "tool_use", "id": "c1", "name": "mcp__time__convert_time", "input": ASKED}
    model = ScriptedModel(Message("assistant", (call,)), "half past three in the night")
    async with daemon(model, channel):
        await channel.say("12:30 in Tokyo?")
        assert (await channel.heard())[1] == "half past three in the night"
    tools = {tool.name: tool for tool in model.requests[0].tools}
    assert set(tools["mcp__time__convert_time"].input_schema["required"]) == {*ASKED}
    assert "T03:30:00+00:00" in str(model.requests[-1].messages[-1].blocks[0]["content"])
