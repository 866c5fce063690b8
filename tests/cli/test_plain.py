"""The conversation through a pipe: the real program."""

import subprocess
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]  # it has no types

from tests.cli.running import PROGRAM, environment
from tests.cli.terminal import PATIENCE


def pipe(workspace: Path, said: str, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    command = [*PROGRAM, "-w", str(workspace), "chat", *arguments]
    return subprocess.run(
        command, input=said, env=environment(**more), capture_output=True, text=True, timeout=50, check=False
    )


def test_through_a_pipe_each_line_is_a_message_and_nothing_is_decorated(workspace: Path) -> None:
    done = pipe(workspace, "what is 6*7\n\nwhat is 7*8", FORCE_COLOR="1")
    assert done.returncode == 0, done.stderr
    first, second = done.stdout.splitlines()
    assert first.endswith("42")
    assert second.endswith("56")
    assert "\x1b" not in done.stdout + done.stderr


def test_through_a_pipe_a_way_out_is_one_too(workspace: Path) -> None:
    done = pipe(workspace, "what is 6*7\n/quit\nwhat is 7*8\n")
    assert done.returncode == 0
    assert "56" not in done.stdout


def test_through_a_pipe_the_exit_code_is_that_of_the_last_message(workspace: Path) -> None:
    agent = workspace / "agents" / "echo" / "AGENT.md"
    agent.write_text("---\nname: Echo\ndescription: x\nmodel: {provider: nowhere, name: x}\n---\nHi.\n")
    done = pipe(workspace, "hello\n")
    assert done.returncode == 1
    assert "nowhere" in done.stdout
    assert pipe(workspace, "hello\n/agents\n").returncode == 0


def test_a_line_that_is_too_long_is_refused_and_the_next_one_answered(workspace: Path) -> None:
    done = pipe(workspace, "x" * 5_000_000 + "\nwhat is 6*7\n")
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("42\n")
    assert "Not accepted" in done.stderr


def test_a_terminal_that_can_only_print_gets_plain_text(workspace: Path) -> None:
    env = environment(TERM="dumb")
    command = [*PROGRAM[1:], "-w", str(workspace), "chat"]
    child: Any = pexpect.spawn(PROGRAM[0], command, env=env, encoding="utf-8", timeout=PATIENCE)
    child.sendline("what is 6*7")
    child.expect("= 42")
    child.sendeof()
    child.expect(pexpect.EOF)
    assert "\x1b" not in child.before
    child.close()
    assert child.exitstatus == 0
