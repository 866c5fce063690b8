"""Memory and its tools, made from settings. Knows no turn."""

from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.memory.memories import Memories
from picklebot.tools.base import Tool
from picklebot.tools.memory import create_memory_tools
from picklebot.tools.memory_commands import create_memory_command_tool


def memories_of(config: Config, clock: Clock) -> Memories:
    """Return the notes of a workspace. Nothing is opened before it is needed; `close` it."""
    workspace = config.workspace
    return Memories(workspace.memories, workspace.state, clock=clock)


def memory_tools(memories: Memories, clock: Clock) -> list[Tool]:
    """Return the tools that work on the notes."""
    return [*create_memory_tools(memories, clock=clock), create_memory_command_tool(memories, clock=clock)]
