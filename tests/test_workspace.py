"""Which tree is meant, and what is made in it."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from picklebot.errors import ConfigError
from picklebot.workspace import Workspace, find


@pytest.fixture(params=[0o000, 0o022, 0o777])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_one_asked_for_comes_first_then_the_variable_then_here_then_home(tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    env = {"HOME": str(tmp_path / "home"), "PICKLEBOT_WORKSPACE": str(tmp_path / "named")}
    assert find(tmp_path / "asked", env, here).root == tmp_path / "asked"
    assert find(None, env, here).root == tmp_path / "named"
    del env["PICKLEBOT_WORKSPACE"]
    assert find(None, env, here).root == tmp_path / "home" / ".picklebot"
    (here / "config.yaml").touch()
    assert find(None, env, here).root == here


def test_an_empty_variable_names_no_workspace(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path), "PICKLEBOT_WORKSPACE": ""}
    assert find(None, env, tmp_path).root == tmp_path / ".picklebot"


def test_a_relative_folder_and_a_tilde_are_made_absolute(tmp_path: Path) -> None:
    env = {"HOME": str(tmp_path / "home")}
    assert find(Path("a/../b"), env, tmp_path).root == tmp_path / "b"
    assert find(None, env | {"PICKLEBOT_WORKSPACE": "~/w"}, tmp_path).root == tmp_path / "home" / "w"


def test_every_place_is_below_the_root_and_state_below_the_state_folder(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    visible = [workspace.config_file, workspace.env_file, workspace.agents, workspace.crons, workspace.skills]
    visible += [workspace.tools, workspace.memories, workspace.state]
    names = ["config.yaml", ".env", "agents", "crons", "skills", "tools", "memories", ".picklebot"]
    assert [str(path.relative_to(tmp_path)) for path in visible] == names
    kept = (workspace.database, workspace.daemon_file, workspace.token_file, workspace.lock_file, workspace.logs)
    assert [path.name for path in kept] == ["picklebot.db", "daemon.json", "token", "lock", "logs"]
    assert {path.parent for path in (*kept, workspace.ipc)} == {workspace.state}


def test_the_state_folder_is_closed_to_others_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    workspace = Workspace(tmp_path)
    workspace.prepare()
    assert [mode(path) for path in (workspace.state, workspace.logs, workspace.ipc)] == [0o700] * 3


def test_a_state_folder_that_is_open_to_others_is_closed_and_keeps_what_it_holds(tmp_path: Path) -> None:
    workspace = Workspace(tmp_path)
    workspace.state.mkdir()
    workspace.state.chmod(0o755)
    workspace.database.write_text("kept")
    workspace.prepare()
    workspace.prepare()
    assert mode(workspace.state) == 0o700
    assert workspace.database.read_text() == "kept"


def test_a_workspace_that_is_not_there_is_not_made_up(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="picklebot init"):
        Workspace(tmp_path / "typo").prepare()
    assert not (tmp_path / "typo").exists()


def test_a_file_in_the_place_of_the_state_folder_is_an_error_in_words(tmp_path: Path) -> None:
    (tmp_path / ".picklebot").touch()
    with pytest.raises(ConfigError, match="the state folder"):
        Workspace(tmp_path).prepare()
