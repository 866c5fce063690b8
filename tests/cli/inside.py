"""Runs commands of the real program within the test's own process, which costs a hundredth of a process."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from picklebot.cli.main import app


@dataclass(frozen=True, slots=True)
class Done:
    """What a command has printed, and its exit code."""

    returncode: int
    stdout: str
    stderr: str


async def command(workspace: Path, *arguments: str) -> Done:
    """Run a command to its end, in a thread, because commands have event loops of their own."""
    result = await asyncio.to_thread(CliRunner().invoke, app, ["-w", str(workspace), *arguments])
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(result.exit_code, result.stdout, result.stderr)


async def document(workspace: Path, *arguments: str) -> Any:
    """Run a command with --json, and return the one document on its stdout."""
    done = await command(workspace, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)
