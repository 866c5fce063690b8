"""The tools on a workspace with secrets in it, inside the sandbox."""

from pathlib import Path
from typing import Literal, TypeAlias

import pytest

from picklebot.sandbox.choosing import choose
from picklebot.tools.launcher import Launcher
from tests.tools.conftest import hosts as hosts
from tests.tools.conftest import toolbox as toolbox

Kind: TypeAlias = Literal["bubblewrap", "landlock"]


@pytest.fixture(params=["bubblewrap", "landlock"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each test is one of both mechanisms."""
    found: Kind = request.param
    return found


@pytest.fixture
def launcher(kind: Kind) -> Launcher:
    choice = choose(kind, memory_mb=512, network=False)
    assert choice.launcher is not None, f"no sandbox holds here: {choice.why}"
    return choice.launcher


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace: state, secrets, what steers picklebot, and an ordinary file."""
    root = tmp_path / "workspace"
    (root / ".picklebot").mkdir(parents=True, mode=0o700)
    (root / ".picklebot" / "token").write_text("t-0123456789")
    (root / ".env").write_text("ANTHROPIC_API_KEY=k-0123456789\n")
    (root / "config.yaml").write_text("default_agent: pickle\n")
    (root / "agents" / "pickle").mkdir(parents=True)
    (root / "agents" / "pickle" / "AGENT.md").write_text("You are pickle.\n")
    (root / ".git" / "hooks").mkdir(parents=True)
    (root / "notes.md").write_text("basil\n")
    (tmp_path / "outside").write_text("o-0123456789")
    return root
