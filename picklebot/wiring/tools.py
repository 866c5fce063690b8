"""Tools, made from settings.

Promises that their processes end with the daemon. Knows no agent.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from picklebot.clock import Clock, SystemClock
from picklebot.config import Config
from picklebot.memory.notes import Notes
from picklebot.tools.base import Tool
from picklebot.tools.files import create_file_tools
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.launcher import PlainLauncher
from picklebot.tools.local import load_local_tools
from picklebot.tools.memory import create_memory_tools
from picklebot.tools.shell import create_shell_tools
from picklebot.tools.toolset import Toolset


@asynccontextmanager
async def open_tools(config: Config, clock: Clock) -> AsyncGenerator[Toolset, None]:
    """Make the tools; their processes end with the block.

    Raises:
        ConfigError: one of the user's own cannot be loaded, or two have one name.
    """
    launcher = PlainLauncher(memory_mb=config.sandbox.memory_mb)
    async with ToolHosts(config.workspace.root, launcher=launcher, clock=clock) as hosts:
        local = await asyncio.to_thread(load_local_tools, config.workspace.tools) if config.tools.local else []
        yield Toolset([*_built_in(config, hosts, clock), *local])


def describe_tools(config: Config) -> list[Tool]:
    """Return every tool, to be looked at and not to be run."""
    clock = SystemClock()
    local = load_local_tools(config.workspace.tools) if config.tools.local else []
    return [*_built_in(config, ToolHosts(config.workspace.root, clock=clock), clock), *local]


def _built_in(config: Config, hosts: ToolHosts, clock: Clock) -> list[Tool]:
    return [
        *create_file_tools(hosts),
        *create_shell_tools(hosts, seconds=config.sandbox.seconds),
        *create_memory_tools(Notes(config.workspace.memories), clock=clock),
    ]
