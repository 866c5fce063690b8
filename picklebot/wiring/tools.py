"""Tools, made from settings.

Promises that their processes end with the daemon. Knows no agent.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from picklebot.clock import Clock, SystemClock
from picklebot.config import Config
from picklebot.core.board import BoardEntry, EntryState, Hand
from picklebot.core.messages import ToolResult
from picklebot.definitions.library import Library
from picklebot.errors import ConfigError, ToolError
from picklebot.memory.memories import Memories
from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.board import create_board_tool
from picklebot.tools.deferring import create_deferring_tools
from picklebot.tools.dispatch import Answered, create_dispatch_tool
from picklebot.tools.files import Proposing, create_file_tools
from picklebot.tools.hosts import ToolHosts
from picklebot.tools.local import load_local_tools
from picklebot.tools.post import create_post_tools
from picklebot.tools.results import create_result_tools
from picklebot.tools.send import create_send_tools
from picklebot.tools.shell import create_shell_tools
from picklebot.tools.skills import SkillTexts, create_skill_tools
from picklebot.tools.tasks import create_task_tools
from picklebot.tools.toolset import Toolset
from picklebot.wiring.machine import machine_of_tools
from picklebot.wiring.mcp import known_tools, open_mcp
from picklebot.wiring.memory import memories_of, memory_tools
from picklebot.wiring.sandbox import launcher_of, open_way_out, sandbox_of
from picklebot.wiring.web import web_tools
from picklebot.workers.skills import Skills

LATE = frozenset(
    {
        *("schedule_task", "list_tasks", "cancel_task", "post_message", "send_file"),
        *("subagent_dispatch", "task_board", "read_result"),
    }
)
"""Tools that are made with the workers, because those do what the tools promise."""

_NOT_RUN = "no daemon runs here"


@asynccontextmanager
async def open_tools(
    config: Config, clock: Clock, proposing: Proposing, skills: SkillTexts, memories: Memories, *, at_once: bool
) -> AsyncGenerator[Toolset, None]:
    """Make the tools; their processes end with the block. What steers agents goes through `proposing`.

    `at_once`: connect to servers of further tools now, and not at the first call.

    Raises:
        ConfigError: one of the user's own cannot be loaded, or two have one name.
    """
    apart = await asyncio.to_thread(sandbox_of, config)
    async with (
        open_way_out(config),
        ToolHosts(config.workspace.root, launcher=launcher_of(config, apart), clock=clock) as hosts,
        open_mcp(config, clock, at_once=at_once) as served,
    ):
        local = await asyncio.to_thread(load_local_tools, config.workspace.tools) if config.tools.local else []
        toolset = Toolset(
            [
                *_built_in(config, hosts, commands=apart.launcher is not None or apart.off, proposing=proposing),
                *memory_tools(memories, clock),
                *create_skill_tools(skills),
                *served,
                *local,
            ]
        )
        _check_rules(config, toolset)
        yield toolset


def _check_rules(config: Config, toolset: Toolset) -> None:
    """Refuse a rule for a tool that does not exist: its writer believes that it protects."""
    for name in config.approvals:
        if name not in LATE and not toolset.knows(name):
            raise ConfigError(f"approvals: {'; '.join(toolset.notes([name]))}")


def describe_tools(config: Config) -> list[Tool]:
    """Return every tool, to be looked at and not to be run."""
    clock = SystemClock()
    local = load_local_tools(config.workspace.tools) if config.tools.local else []
    late = [*create_task_tools(_Shown()), *create_post_tools(_Shown()), *create_send_tools(_Shown())]
    shared = [create_dispatch_tool(_Shown()), create_board_tool(_Shown(), clock=clock), *create_result_tools(_Shown())]
    skills = create_skill_tools(skills_of(config, Library(config.workspace.root)))
    hosts = ToolHosts(config.workspace.root, clock=clock)
    memory, served = memory_tools(memories_of(config, clock), clock), known_tools(config)
    found = create_deferring_tools({tool.name: tool for tool in served})
    return [*_built_in(config, hosts, commands=True), *memory, *skills, *late, *shared, *found, *served, *local]


def skills_of(config: Config, library: Library) -> Skills:
    """Return the skills of a workspace, as its tool processes would find them."""
    return Skills(library, root=config.workspace.root, machine=machine_of_tools())


class _Shown:
    """Stands where the workers would: these tools are looked at and not run."""

    async def schedule(self, prompt: str, when: Mapping[str, str], context: ToolContext) -> Mapping[str, str]:
        raise ValueError(_NOT_RUN)

    async def listing(self, context: ToolContext) -> str:
        raise ValueError(_NOT_RUN)

    async def cancel(self, task: str | int, context: ToolContext) -> str:
        raise ValueError(_NOT_RUN)

    async def result(self, session_id: str, call_id: str) -> ToolResult | None:
        raise ToolError(_NOT_RUN)

    async def post(self, content: str, context: ToolContext) -> str:
        raise ValueError(_NOT_RUN)

    async def send_file(self, path: str, caption: str, context: ToolContext) -> str:
        raise ValueError(_NOT_RUN)

    async def dispatch(self, context: ToolContext, agent_id: str, task: str) -> Answered:
        raise ToolError(_NOT_RUN)

    async def add(self, title: str, details: str, *, by: Hand, at: datetime) -> BoardEntry:
        raise ToolError(_NOT_RUN)

    async def claim(self, entry_id: int | None, *, by: Hand, at: datetime) -> BoardEntry | None:
        raise ToolError(_NOT_RUN)

    async def finish(self, entry_id: int, result: str, *, by: Hand, at: datetime) -> BoardEntry:
        raise ToolError(_NOT_RUN)

    async def entries(self, state: EntryState | None = None, *, limit: int) -> Sequence[BoardEntry]:
        raise ToolError(_NOT_RUN)


def _built_in(config: Config, hosts: ToolHosts, *, commands: bool, proposing: Proposing | None = None) -> list[Tool]:
    return [
        *create_file_tools(hosts, proposing),
        *(_shell_tools(config, hosts) if commands else ()),
        *web_tools(config),
    ]


def _shell_tools(config: Config, hosts: ToolHosts) -> list[Tool]:
    settings = config.sandbox
    everywhere = settings.network or settings.mode == "off"
    return create_shell_tools(hosts, seconds=settings.seconds, network=everywhere, reachable=settings.hosts)
