"""A server of tools in its sandbox: what it reaches, what it does not, and that what it writes is bounded."""

import asyncio
import os
import socket
import sys
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

import pytest

from picklebot.core.messages import Message
from picklebot.mcp.base import ServerTrouble, Target
from picklebot.mcp.sdk import dial
from picklebot.testing import FakeChannel, ScriptedModel
from tests.cli.running import run
from tests.flow.conftest import Daemon
from tests.flow.conftest import channel as channel
from tests.flow.conftest import clock as clock
from tests.flow.conftest import configure as configure
from tests.flow.conftest import daemon as daemon

Planted = Callable[..., None]


async def results(daemon: Daemon, channel: FakeChannel, *calls: tuple[str, dict[str, object]]) -> Sequence[str]:
    """Let the model make the calls side by side; return what came of each."""
    blocks = [
        {"type": "tool_use", "id": f"c{n}", "name": f"mcp__garden__{tool}", "input": given}
        for n, (tool, given) in enumerate(calls)
    ]
    model = ScriptedModel(Message("assistant", tuple(blocks)), "done")
    async with daemon(model, channel):
        await channel.say("go")
        assert (await channel.heard())[1] == "done"
    return [str(block["content"]) for block in model.requests[-1].messages[-1].blocks]


@pytest.fixture
def port() -> Generator[int, None, None]:
    """A port of this machine, where somebody listens for as long as the test lasts."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening.getsockname()[1]


async def test_a_server_reaches_its_home_and_what_it_was_given_and_nothing_else(
    planted: Planted, daemon: Daemon, channel: FakeChannel, workspace: Path, garden: Path, port: int
) -> None:
    (outside := garden.parent / "outside").write_text("o-1")
    (workspace / "plan.md").write_text("dig")
    (workspace / ".env").write_text("KEY=k-1\n")
    (workspace / ".env").chmod(0o600)
    (hook := workspace / "beds" / "rose" / ".git" / "hooks" / "post-checkout").parent.mkdir(parents=True)
    planted(read=f"[{workspace}]")
    config = (workspace / "config.yaml").read_text()
    (workspace / "config.yaml").write_text(config.replace("write: [", "write: [beds, "))
    seen = await results(
        daemon,
        channel,
        ("peek", {"path": str(outside)}),
        ("peek", {"path": str(workspace / ".env")}),
        ("peek", {"path": str(workspace / ".picklebot" / "daemon.json")}),
        ("note", {"path": str(workspace / "agents" / "echo" / "AGENT.md")}),
        ("note", {"path": str(workspace / "plan.md")}),
        ("note", {"path": str(hook)}),
        ("ring", {"port": port}),
        ("peek", {"path": str(workspace / "plan.md")}),
        ("note", {"path": "/home/server/kept"}),
        ("note", {"path": str(garden / "ledger")}),
        ("note", {"path": str(workspace / "beds" / "rose" / "petal")}),
    )
    *refused, plan, kept, ledger, petal = seen
    assert all("Error" in words for words in refused), refused
    assert (plan, kept, ledger, petal) == ("dig", "noted", "noted", "noted")
    assert (workspace / ".picklebot" / "mcp" / "garden" / "kept").read_text() == "noted"
    assert (workspace / "plan.md").read_text() == "dig"


async def test_under_landlock_a_server_reaches_no_more_and_is_not_given_the_workspace(
    planted: Planted,
    daemon: Daemon,
    channel: FakeChannel,
    workspace: Path,
    garden: Path,
    port: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    (outside := garden.parent / "outside").write_text("o-1")
    (workspace / "beds").mkdir()
    (workspace / "beds" / "plan.md").write_text("dig")
    planted(read="[beds]")
    config = (workspace / "config.yaml").read_text()
    (workspace / "bare" / ".git").mkdir(parents=True)
    whole = "mcp_servers: {whole: {command: [cat], read: ['.']}, checkout: {command: [cat], write: [bare]}, "
    (workspace / "config.yaml").write_text(f"{config.replace('mcp_servers: {', whole)}sandbox: {{mode: landlock}}\n")
    home = workspace / ".picklebot" / "mcp" / "garden"
    *refused, plan, kept, ledger = await results(
        daemon,
        channel,
        ("peek", {"path": str(outside)}),
        ("peek", {"path": str(workspace / ".picklebot" / "daemon.json")}),
        ("peek", {"path": f"/proc/{os.getpid()}/environ"}),
        ("note", {"path": str(workspace / "agents" / "echo" / "AGENT.md")}),
        ("note", {"path": str(workspace / "beds" / "plan.md")}),
        ("ring", {"port": port}),
        ("peek", {"path": str(workspace / "beds" / "plan.md")}),
        ("note", {"path": str(home / "kept")}),
        ("note", {"path": str(garden / "ledger")}),
    )
    assert all("Error" in words for words in refused), refused
    assert (plan, kept, ledger) == ("dig", "noted", "noted")
    assert f"Landlock cannot give it {workspace} without picklebot's own state" in caplog.text
    assert f"Landlock cannot keep {workspace / 'bare' / '.git'} as it is" in caplog.text


async def test_without_a_sandbox_a_server_does_what_its_owner_may_and_doctor_says_so(
    planted: Planted, daemon: Daemon, channel: FakeChannel, workspace: Path, garden: Path, port: int
) -> None:
    (outside := garden.parent / "outside").write_text("o-1")
    planted(sandbox="false")
    assert await results(daemon, channel, ("peek", {"path": str(outside)}), ("ring", {"port": port})) == [
        "o-1",
        "connected",
    ]
    assert "the server garden runs without a sandbox" in run(workspace, "doctor").stdout


async def test_a_server_that_writes_without_end_is_ended_in_words(garden: Path) -> None:
    program = (garden / "server.py").read_text()
    (garden / "server.py").write_text(program.replace("import os,", "import os; wire = os.dup(1)\nimport", 1))
    target = Target(name="garden", command=[sys.executable, str(garden / "server.py")], environment=dict(os.environ))

    calls: list[asyncio.Task[object]] = []

    async def hear_it_flood() -> None:
        async with dial(target) as line:
            calls.append(asyncio.create_task(line.call("flood", {}), name="call"))  # as the daemon's turns do
            await asyncio.Event().wait()  # the connection's own end cuts this short

    with pytest.raises(ServerTrouble, match="it sent a message of more than 16,000,000 bytes"):
        await hear_it_flood()
    with pytest.raises(ServerTrouble):
        await calls[0]


async def test_a_server_that_needs_what_cannot_be_given_is_told_of_and_costs_nothing_else(
    workspace: Path, daemon: Daemon, channel: FakeChannel, caplog: pytest.LogCaptureFixture
) -> None:
    (workspace / "notes").symlink_to("/etc")  # as an agent may have done
    with (workspace / "config.yaml").open("a") as file:
        file.write(
            "mcp_servers: {greedy: {command: [cat], read: [.picklebot]}, lost: {command: [cat], write: [/no/where]},"
            " led: {command: [cat], write: [notes]}}\n"
        )
    model = ScriptedModel("hello")
    async with daemon(model, channel):
        await channel.say("hi")
        assert (await channel.heard())[1] == "hello"
    assert "picklebot's own state and secrets are out of reach" in caplog.text
    assert "/no/where: there is no such file or folder" in caplog.text
    assert "notes: a link leads from there to /etc" in caplog.text
