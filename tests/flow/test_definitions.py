"""Files that change while the daemon runs."""

import asyncio
from collections.abc import Callable
from pathlib import Path

from picklebot.core.events import DefinitionChanged
from picklebot.testing import FakeChannel, ScriptedModel
from tests.flow.conftest import Daemon


async def test_an_agent_dropped_in_can_be_used_without_a_restart(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    model = ScriptedModel("scouting")
    async with daemon(model, channel) as app:
        with app.bus.subscribe(DefinitionChanged) as changes:
            agent("scout", prompt="You are scout.")
            async with asyncio.timeout(10):
                assert (await anext(changes)).definition_id == "scout"
        await channel.say("hi", agent="scout")
        assert await channel.heard() == ("ann", "scouting")
    assert model.requests[0].system.startswith("You are scout.")


async def test_a_broken_file_keeps_the_last_good_version(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None], workspace: Path
) -> None:
    agent("scout", prompt="You are scout.")
    model = ScriptedModel("still here")
    async with daemon(model, channel) as app:
        with app.bus.subscribe(DefinitionChanged) as changes:
            (workspace / "agents/scout/AGENT.md").write_text("---\nmax_concurrency: lots\n---\nBroken.\n")
            async with asyncio.timeout(10):
                while (change := await anext(changes)).error is None:
                    pass
        assert ":2:" in str(change.error)
        assert "max_concurrency" in str(change.error)
        await channel.say("hi", agent="scout")
        assert await channel.heard() == ("ann", "still here")
    assert model.requests[0].system.startswith("You are scout.")


async def test_an_edited_agent_speaks_as_edited_from_its_next_turn(
    daemon: Daemon, channel: FakeChannel, agent: Callable[..., None]
) -> None:
    model = ScriptedModel("a", "b")
    async with daemon(model, channel) as app:
        await channel.say("hi")
        await channel.heard()
        with app.bus.subscribe(DefinitionChanged) as changes:
            agent("echo", prompt="You are new.")
            async with asyncio.timeout(10):
                await anext(changes)
        await channel.say("hi")
        await channel.heard()
    assert model.requests[1].system.startswith("You are new.")


async def test_the_workspace_files_are_in_the_prompt_and_followed(
    daemon: Daemon, channel: FakeChannel, workspace: Path, agent: Callable[..., None]
) -> None:
    (workspace / "USER.md").write_text("Her name is Ann. Work in {{workspace}}.")
    (workspace / "agents/echo/SOUL.md").write_text("Dry wit.")
    model = ScriptedModel("a")
    async with daemon(model, channel):
        await channel.say("hi")
        await channel.heard()
    system = model.requests[0].system
    assert system.index("Dry wit.") < system.index("Her name is Ann.")
    assert str(workspace) in system
