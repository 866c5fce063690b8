"""From a command in AGENT.md to what is run; and what the files of the protocol may say."""

import sys
from pathlib import Path

import pytest

from picklebot.definitions.agents import AgentSpec
from picklebot.errors import ConfigError
from picklebot.ipc.starting import find
from picklebot.sandbox.choosing import Choice
from picklebot.wiring.external import refused

PATH = "/usr/bin:/bin"


@pytest.fixture
def own(tmp_path: Path) -> Path:
    folder = tmp_path / "agents" / "one"
    folder.mkdir(parents=True)
    (folder / "agent.py").write_text("")
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o700)
    (tmp_path / ".picklebot").mkdir()
    (tmp_path / "agents" / "state").symlink_to(tmp_path / ".picklebot")
    (tmp_path / "agents" / "out").symlink_to("/usr")
    return folder


def test_names_of_own_files_mean_those_and_others_what_is_on_the_path(own: Path, tmp_path: Path) -> None:
    private = tmp_path / ".picklebot"
    ours = find(["python", "agent.py", "--fast"], (), beside=own, path=PATH, private=private)
    assert ours.command == [sys._base_executable, str(own / "agent.py"), "--fast"]  # type: ignore[attr-defined]
    assert own in ours.readable
    assert find(["run", "../../.env"], (), beside=own, path=PATH, private=private).command == [
        str(own / "run"),
        "../../.env",
    ]
    flat = find(["sh", "-c", "true"], ["/usr"], beside=None, path=PATH, private=private)
    assert flat.command[1:] == ["-c", "true"]
    assert Path("/usr") in flat.readable


@pytest.mark.parametrize(
    ("command", "read", "words"),
    [
        (["nosuch"], [], "there is no program 'nosuch' on the path of its sandbox"),
        (["/nowhere/program"], [], "'/nowhere/program' is not there, or is no program"),
        (["./agent.py"], [], "agent.py' is not there, or is no program (chmod +x)"),
        (["sh"], ["models"], "runner.read: there is no 'models'; name files and folders by their whole paths"),
        (["sh"], ["TOP"], "holds what picklebot keeps to itself"),
        (["sh"], ["TOP/.picklebot"], "holds what picklebot keeps to itself"),
        (["sh"], ["TOP/agents/../.picklebot"], "holds what picklebot keeps to itself"),
        (["sh"], ["TOP/agents/state"], "holds what picklebot keeps to itself"),
        (["sh"], ["TOP/agents/out"], "leads out of the workspace"),
    ],
)
def test_what_cannot_be_started_is_refused_in_words(
    own: Path, tmp_path: Path, command: list[str], read: list[str], words: str
) -> None:
    wanted = [each.replace("TOP", str(tmp_path)) for each in read]
    with pytest.raises(ConfigError) as caught:
        find(command, wanted, beside=own, path=PATH, private=tmp_path / ".picklebot")
    assert words in str(caught.value)


def test_without_a_sandbox_none_is_started_unless_nobody_wants_one() -> None:
    spec = AgentSpec.model_validate({"id": "one", "runner": {"command": ["sh"]}})
    none = Choice(launcher=None, why="there is no bubblewrap here", fix="install bubblewrap")
    assert refused(spec, none) == (
        "it is an external program, and there is no sandbox to start it in: "
        "there is no bubblewrap here; install bubblewrap"
    )
    assert refused(spec, Choice(launcher=None, off=True)) == ""
