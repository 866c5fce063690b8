"""The program as a whole: what it shows on a terminal, how it completes, what its help costs."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.running import PROGRAM, environment, run


def on_a_terminal(workspace: Path, *arguments: str, **more: str) -> str:
    ours, theirs = pty.openpty()
    child = subprocess.Popen(
        [*PROGRAM, "-w", str(workspace), *arguments], env=environment(TERM="xterm", **more), stdout=theirs
    )
    os.close(theirs)
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        seen = b"".join(iter(lambda: _read(terminal.fileno()), b""))
    assert child.wait(50) == 0
    return seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other side is closed
        return b""


def test_colour_is_for_terminals_that_may_have_it(workspace: Path) -> None:
    assert "\x1b[" in on_a_terminal(workspace, "agents", "list")
    assert "\x1b[" not in on_a_terminal(workspace, "agents", "list", NO_COLOR="1")
    assert "\x1b[" not in run(workspace, "agents", "list").stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_completion_script_asks_picklebot_which_answers(shell: str) -> None:
    script = run(None, "completion", shell)
    assert script.returncode == 0
    assert "_PICKLEBOT_COMPLETE=complete_" + shell in script.stdout
    question = {
        "_PICKLEBOT_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": "picklebot se",
        "COMP_CWORD": "1",
        "_TYPER_COMPLETE_ARGS": "picklebot se",
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    program = "import sys; sys.argv[0] = 'picklebot'; from picklebot.cli.main import main; main()"
    answer = subprocess.run(
        [sys.executable, "-c", program], env=environment(**question), capture_output=True, text=True, check=False
    )
    assert "server" in answer.stdout
    assert "sessions" in answer.stdout
    assert "events" not in answer.stdout


def test_completion_for_another_shell_is_a_usage_error() -> None:
    assert run(None, "completion", "tcsh").returncode == 2


HEAVY = ("anthropic", "mcp", "starlette", "rich.markdown", "aiohttp", "asyncio", "yaml", "sqlite3")


@pytest.mark.parametrize(
    ("arguments", "heavy"),
    [
        (("--help",), (*HEAVY, "pydantic")),
        (("--version",), (*HEAVY, "pydantic")),
        (("sessions", "list", "--help"), HEAVY),  # typer itself checks options with pydantic
    ],
)
def test_help_imports_nothing_heavy(arguments: tuple[str, ...], heavy: tuple[str, ...]) -> None:
    program = (
        "import sys\nfrom picklebot.cli.main import main\n"
        f"try:\n    main()\nfinally:\n    print([name for name in {heavy!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    assert done.stderr == "[]\n"
