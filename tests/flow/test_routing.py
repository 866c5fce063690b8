"""Who answers, and why: /route, /bindings, /new, and a source's own session."""

from collections.abc import Callable
from pathlib import Path

import pytest

from picklebot.testing import FakeChannel, ScriptedModel
from tests.cli.inside import command
from tests.flow.conftest import Daemon


@pytest.fixture(autouse=True)
def cookie(agent: Callable[..., None]) -> None:
    agent("cookie")


async def ask(channel: FakeChannel, text: str, peer: str = "ann") -> str:
    await channel.say(text, peer=peer)
    return (await channel.heard())[1]


async def answering(channel: FakeChannel, peer: str = "ann") -> str:
    """Return who answers the next message of `peer`."""
    await channel.say("hi", peer=peer)
    await channel.heard()
    return (await ask(channel, "/session", peer)).split("**")[1]


@pytest.fixture
def model() -> ScriptedModel:
    return ScriptedModel(*["hm"] * 20)


async def test_route_says_who_answers_and_why(
    daemon: Daemon, channel: FakeChannel, model: ScriptedModel, workspace: Path
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write('routing: {bindings: [{source: "fake:b.*", agent: cookie}]}\n')
    async with daemon(model, channel):
        assert "**echo**, the default agent" in await ask(channel, "/route")
        words = "**cookie**, by the binding `fake:b.*` (tier 2, a wildcard, of config.yaml)"
        assert words in await ask(channel, "/route", "bob")
        await ask(channel, "/agent echo", "bob")
        answer = await ask(channel, "/route", "bob")
        assert answer.startswith("**echo** answers here, in session")
        assert words in answer


async def test_a_place_can_be_bound_and_stays_so_across_a_restart(
    daemon: Daemon, channel: FakeChannel, model: ScriptedModel
) -> None:
    async with daemon(model, channel):
        assert await answering(channel) == "echo"
        assert "bound to **cookie**" in await ask(channel, "/route cookie")
        assert await answering(channel) == "cookie"
    async with daemon(model, channel):
        await ask(channel, "/new")
        assert await answering(channel) == "cookie"
        assert "`fake:ann` goes to **cookie** (made by /route)" in await ask(channel, "/bindings")
        assert await answering(channel, "bob") == "echo"


async def test_the_default_takes_the_binding_away_and_goes_back_to_the_old_conversation(
    daemon: Daemon, channel: FakeChannel, model: ScriptedModel
) -> None:
    async with daemon(model, channel):
        await answering(channel)
        old = (await ask(channel, "/session")).split()[1]
        await ask(channel, "/route cookie")
        assert "bound no more" in await ask(channel, "/route default")
        assert (await ask(channel, "/session")).split()[1] == old
        assert "not bound by /route" in await ask(channel, "/route default")


async def test_a_source_keeps_its_session_until_new(daemon: Daemon, model: ScriptedModel) -> None:
    owner = FakeChannel("cli")
    async with daemon(model, owner):
        assert await answering(owner, "bob") == "echo"
        assert "bound to **cookie**" in await ask(owner, "/route cli:b.* cookie")
        assert await answering(owner, "bob") == "echo"
        assert "with **cookie**" in await ask(owner, "/new", "bob")
        assert await answering(owner, "bob") == "cookie"
        assert "bound no more" in await ask(owner, "/route cli:b.* default")


async def test_only_the_owner_binds_other_places(daemon: Daemon, channel: FakeChannel, model: ScriptedModel) -> None:
    async with daemon(model, channel):
        assert "Only the owner" in await ask(channel, "/route fake:.* cookie")
        assert "cookie" not in await ask(channel, "/bindings")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("/route cli:( cookie", "'cli:(' is no regular expression"),
        ("/route cooky", "cookie"),
        (f"/route {'x' * 300} cookie", "longer than 256 characters"),
        ("/route cli:x default", "not bound by /route"),
    ],
)
async def test_what_cannot_be_bound_is_answered_in_words(
    text: str, words: str, daemon: Daemon, model: ScriptedModel
) -> None:
    owner = FakeChannel("cli")
    async with daemon(model, owner):
        assert words in await ask(owner, text)
        assert "made by /route" not in await ask(owner, "/bindings")


async def test_a_binding_to_an_agent_that_is_gone_is_found_by_the_doctor(
    daemon: Daemon, channel: FakeChannel, model: ScriptedModel, workspace: Path
) -> None:
    async with daemon(model, channel):
        await ask(channel, "/route cookie")
    (workspace / "agents" / "cookie" / "AGENT.md").unlink()
    done = await command(workspace, "doctor")
    assert done.returncode == 1
    assert "`fake:ann` was bound by /route" in done.stdout
