"""Tools, made from settings.

Promises that their processes end with the daemon. Knows no agent.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from picklebot.clock import Clock, SystemClock
from picklebot.config import Config
from picklebot.core.board import BoardEntry, EntryState, Hand
from picklebot.errors import ConfigError, ToolError
from picklebot.memory.notes import Notes
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.board import create_board_tool
from picklebot.tools.dispatch import Answered, create_dispatch_tool
from picklebot.tools.files import create_file_tools
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.launcher import PlainLauncher
from picklebot.tools.local import load_local_tools
from picklebot.tools.memory import create_memory_tools
from picklebot.tools.shell import create_shell_tools
from picklebot.tools.toolset import Toolset

TO_COME = frozenset(
    {
        "cancel_task",
        "list_tasks",
        "post_message",
        "schedule_task",
        "use_skill",
        "web_fetch",
        "web_search",
    }
)  #: names that a rule may already speak of
_NOT_HERE = ToolError("no daemon runs here")
SHARED = frozenset({"subagent_dispatch", "task_board"})  #: between agents; made where the workers are (`dispatch`)


@asynccontextmanager
async def open_tools(config: Config, clock: Clock) -> AsyncGenerator[Toolset, None]:
    """Make the tools; their processes end with the block.

    Raises:
        ConfigError: one of the user's own cannot be loaded, or two have one name.
    """
    _check_sandbox(config)
    launcher = PlainLauncher(memory_mb=config.sandbox.memory_mb)
    async with ToolHosts(config.workspace.root, launcher=launcher, clock=clock) as hosts:
        local = await asyncio.to_thread(load_local_tools, config.workspace.tools) if config.tools.local else []
        toolset = Toolset([*_built_in(config, hosts, clock), *local])
        _check_rules(config, toolset)
        yield toolset


def _check_sandbox(config: Config) -> None:
    """Refuse what would be promised and not kept."""
    if config.sandbox.mode in {"bubblewrap", "landlock"}:
        raise ConfigError(
            f"sandbox.mode: {config.sandbox.mode} is not there yet: shell and file tools run without a sandbox. "
            "Say auto or off to run them so, or `approvals: {bash: deny}` to run no shell"
        )


def _check_rules(config: Config, toolset: Toolset) -> None:
    """Refuse a rule for a tool that does not exist: its writer believes that it protects."""
    for name in config.approvals:
        if name not in toolset.tools and name not in TO_COME | SHARED and not name.startswith("mcp__"):
            raise ConfigError(f"approvals: {'; '.join(toolset.notes([name]))}")


def describe_tools(config: Config) -> list[Tool]:
    """Return every tool, to be looked at and not to be run."""
    clock = SystemClock()
    local = load_local_tools(config.workspace.tools) if config.tools.local else []
    shared = [create_dispatch_tool(_Nobody()), create_board_tool(_Nobody(), clock=clock)]
    return [*_built_in(config, ToolHosts(config.workspace.root, clock=clock), clock), *shared, *local]


class _Nobody:
    """Stands where a daemon's workers would be."""

    async def dispatch(self, context: ToolContext, agent_id: str, task: str) -> Answered:
        raise _NOT_HERE

    async def add(self, title: str, details: str, *, by: Hand, at: datetime) -> BoardEntry:
        raise _NOT_HERE

    async def claim(self, entry_id: int | None, *, by: Hand, at: datetime) -> BoardEntry | None:
        raise _NOT_HERE

    async def finish(self, entry_id: int, result: str, *, by: Hand, at: datetime) -> BoardEntry:
        raise _NOT_HERE

    async def entries(self, state: EntryState | None = None, *, limit: int) -> Sequence[BoardEntry]:
        raise _NOT_HERE


def _built_in(config: Config, hosts: ToolHosts, clock: Clock) -> list[Tool]:
    return [
        *create_file_tools(hosts),
        *create_shell_tools(hosts, seconds=config.sandbox.seconds),
        *create_memory_tools(Notes(config.workspace.memories), clock=clock),
    ]
