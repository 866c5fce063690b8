"""Opening beneath a root: with the kernel's help, without it, and against somebody who moves things meanwhile."""

import os
import subprocess
import sys
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from picklebot.toolhost.atomic import replace_file
from picklebot.toolhost.files import edit_file, load, read_file, write_file
from picklebot.toolhost.paths import Tree
from picklebot.toolhost.wire import Failure

RACE_SECONDS = 1.0

EXCHANGE = """
import ctypes, os, platform, sys
number = {"x86_64": 316, "aarch64": 276}[platform.machine()]
syscall = ctypes.CDLL(None).syscall
while os.getppid() == int(sys.argv[3]):
    for _ in range(1000):
        syscall(number, -100, sys.argv[1].encode(), -100, sys.argv[2].encode(), 2)
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    for name in ("f", "folder/f", "linked/f"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "f").write_text("outside")
    return root


@pytest.fixture(params=[True, False], ids=["openat2", "step by step"])
def tree(root: Path, request: pytest.FixtureRequest) -> Generator[Tree]:
    tree = Tree(str(root), openat2=request.param)
    yield tree
    tree.close()


@pytest.mark.parametrize(
    "path",
    [
        "../outside/f", "/etc/passwd", "folder/../../outside/f", "up/f", "absolute/f", "file-link", "magic/outside/f",
        "/", "..", "//etc/passwd", "magic/root/etc/passwd",
    ],
)  # fmt: skip
def test_no_path_leads_out(tree: Tree, root: Path, path: str) -> None:
    (root / "up").symlink_to("../outside")
    (root / "absolute").symlink_to(root.parent / "outside")
    (root / "file-link").symlink_to(root.parent / "outside" / "f")
    (root / "magic").symlink_to("/proc/self")
    for action, given in ((read_file, {}), (write_file, {"content": "x"}), (edit_file, {"old": "o", "new": "x"})):
        with pytest.raises(Failure):
            action(tree, {"path": path, **given})
    assert (root.parent / "outside" / "f").read_text() == "outside"
    assert [path.name for path in (root.parent / "outside").iterdir()] == ["f"]


@pytest.mark.parametrize("name", ["other/f", "folder/f", "./folder//f", "{root}/folder/f"])
def test_what_is_inside_is_opened(tree: Tree, root: Path, name: str) -> None:
    (root / "other").mkdir()
    (root / "other" / "f").write_text("inside")
    assert load(tree, name.format(root=root)) == b"inside"


def test_links_that_stay_inside_are_followed_where_the_kernel_resolves(root: Path) -> None:
    (root / "link").symlink_to("folder")
    assert load(Tree(str(root)), "link/f") == b"inside"
    for careful in (Tree(str(root), openat2=False), Tree(str(root), follow=False)):
        with pytest.raises(Failure, match="link"):
            load(careful, "link/f")
        with pytest.raises(Failure, match="without"):
            load(careful, "folder/../f")


def test_a_root_that_is_itself_a_link_is_known_by_both_names(root: Path) -> None:
    link = root.parent / "link"
    link.symlink_to(root)
    for path in (f"{link}/f", f"{root}/f", "f"):
        assert load(Tree(str(link)), path) == b"inside"


@pytest.mark.parametrize("path", [".picklebot/token", ".picklebot", ".env", ".ENV", "door/token", "./.picklebot/token"])
def test_state_and_secrets_are_out_of_reach_by_any_name(tree: Tree, root: Path, path: str) -> None:
    (root / ".picklebot").mkdir()
    (root / ".picklebot" / "token").write_text("secret")
    (root / ".env").write_text("secret")
    (root / ".ENV").write_text("secret")
    (root / "door").symlink_to(".picklebot")
    for action, given in ((read_file, {}), (write_file, {"content": "x"}), (edit_file, {"old": "s", "new": "x"})):
        with pytest.raises(Failure, match=r"not available|symbolic link|not a folder"):
            action(tree, {"path": path, **given})
    assert (root / ".picklebot" / "token").read_text() == "secret"
    assert (root / ".env").read_text() == "secret"


@pytest.mark.parametrize(
    "path",
    [".git/hooks/pre-commit", ".git/config", "sub/.git/hooks/x", "git/config", ".mcp.json", ".vscode/tasks.json",
     "config.yaml", "agents/pickle/AGENT.md", "tools/mine.py", "skills/x/SKILL.md", "crons/x/CRON.md", ".bashrc"],
)  # fmt: skip
def test_what_other_programs_obey_is_not_written_even_where_it_is_absent(tree: Tree, root: Path, path: str) -> None:
    (root / ".git").mkdir()
    (root / "git").symlink_to(".git")
    before = sorted(root.rglob("*"))
    with pytest.raises(Failure, match=r"not available|symbolic link|not a folder"):
        write_file(tree, {"path": path, "content": "x"})
    assert sorted(root.rglob("*")) == before


def test_a_link_is_not_written_through(tree: Tree, root: Path) -> None:
    (root / "link").symlink_to("f")
    with pytest.raises(Failure, match="symbolic link"):
        write_file(tree, {"path": "link", "content": "x"})
    assert (root / "f").read_text() == "inside"


def test_a_failed_write_leaves_the_old_file_and_no_other(root: Path) -> None:
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
    with pytest.raises(IsADirectoryError):
        replace_file(folder, "folder", b"x")
    os.close(folder)
    assert sorted(path.name for path in root.iterdir()) == ["f", "folder", "linked"]


@pytest.mark.skipif(sys.platform != "linux", reason="renameat2 is Linux's")
def test_exchanging_a_folder_for_a_link_meanwhile_leads_nowhere(tree: Tree, root: Path) -> None:
    (root / "swap").symlink_to(root.parent / "outside")
    words = [sys.executable, "-c", EXCHANGE, str(root / "linked"), str(root / "swap"), str(os.getpid())]
    read = {b"inside": 0, b"outside": 0, b"refused": 0}
    attacker = subprocess.Popen(words)
    try:
        deadline = time.monotonic() + RACE_SECONDS
        while time.monotonic() < deadline or not (read[b"inside"] and read[b"refused"]):
            try:
                read[load(tree, "linked/f")] += 1
                write_file(tree, {"path": "linked/new", "content": "x"})
            except Failure:
                read[b"refused"] += 1
    finally:
        attacker.kill()
        attacker.wait()
    assert read[b"outside"] == 0, read
    assert [path.name for path in (root.parent / "outside").iterdir()] == ["f"]
