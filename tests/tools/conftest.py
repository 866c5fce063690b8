"""Real tool processes on a small workspace."""

import asyncio
import itertools
import os
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import pytest

from picklebot.clock import SystemClock
from picklebot.core.source import Source
from picklebot.testing.clock import PATIENCE
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.files import create_file_tools
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.launcher import PLAIN, Launcher
from picklebot.tools.shell import create_shell_tools

_numbers = itertools.count(1_000)


def context(session: str = "s1") -> ToolContext:
    return ToolContext(session_id=session, agent_id="pickle", source=Source("cli", ("ann",)), key="k", cause_id="e")


class Toolbox:
    """The tools by name, run as the agent loop runs them."""

    def __init__(self, tools: list[Tool], hosts: ToolHosts) -> None:
        self.tools = {tool.name: tool for tool in tools}
        self.hosts = hosts

    async def __call__(self, name: str, *, session: str = "s1", **given: Any) -> str:
        output = await self.tools[name].run(context(session), given)
        assert isinstance(output, str)
        return output

    async def check(self, name: str, **given: Any) -> str | None:
        check = self.tools[name].check
        assert check is not None
        found = await check(context(), given)
        assert found is None or isinstance(found, str)
        return found


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    root.mkdir()
    return root


@pytest.fixture
def launcher() -> Launcher:
    return PLAIN


@pytest.fixture
async def hosts(root: Path, launcher: Launcher) -> AsyncGenerator[ToolHosts]:
    async with ToolHosts(root, launcher=launcher, clock=SystemClock()) as hosts:
        yield hosts


@pytest.fixture
async def toolbox(hosts: ToolHosts) -> Toolbox:
    return Toolbox([*create_file_tools(hosts), *create_shell_tools(hosts)], hosts)


async def until(fact: Callable[[], bool]) -> None:
    """Wait for what another process does: nothing rings for it."""
    async with asyncio.timeout(PATIENCE):
        while not fact():  # noqa: ASYNC110  # another process sets no event of ours
            await asyncio.sleep(0.01)


def marker() -> str:
    """Return a number of seconds that names one test's `sleep` among all processes.

    Half a minute and a bit: if what should end it is broken, it must not stay to burden the machine.
    """
    return f"30.{os.getpid():07}{next(_numbers)}"


def sleepers(mark: str) -> list[int]:
    """Return the living processes that have `mark` in their command line."""
    found: list[int] = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if words[:1] == [b"sleep"] and mark.encode() in words:
            found.append(int(entry.name))
    return found
