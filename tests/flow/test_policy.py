"""Safety settings hold from the front door on, or stop the daemon from starting."""

from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.errors import ConfigError
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon


def settle(workspace: Path, text: str) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write(f"{text}\n")


async def test_a_denied_tool_is_not_offered(daemon: Daemon, channel: FakeChannel, workspace: Path) -> None:
    settle(workspace, "approvals: {bash: deny}")
    model = ScriptedModel("a")
    async with daemon(model, channel):
        await channel.say("x")
        await channel.heard()
    assert "bash" not in [tool.name for tool in model.requests[0].tools]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("approvals: {bahs: deny}", "did you mean 'bash'"),
        ("store: {url: 'postgresql://x/y'}", "not there yet"),
    ],
)
async def test_what_cannot_be_kept_is_refused_at_the_start(
    daemon: Daemon, workspace: Path, text: str, words: str
) -> None:
    settle(workspace, text)
    with pytest.raises(ConfigError, match=words):
        async with daemon(ScriptedModel()):
            pass


async def test_an_agent_without_consent_for_no_sandbox_takes_no_turn(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    agent("echo", sandbox='"off"')
    async with daemon(ScriptedModel(), channel):
        await channel.say("x")
        assert "allow_off" in (await channel.heard())[1]


async def test_an_agents_budget_does_not_raise_the_daemons(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None], workspace: Path
) -> None:
    settle(workspace, "limits: {turn_steps: 1}")
    agent("echo", budget="{turn_steps: 9}")
    call = {"type": "tool_use", "id": "c", "name": "glob", "input": {"pattern": "*"}}
    async with daemon(ScriptedModel(Message("assistant", (call,))), channel):
        await channel.say("x")
        assert "more than 1 steps" in (await channel.heard())[1]
