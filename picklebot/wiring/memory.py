"""Memory, made from settings. Knows no tool and no turn."""

from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.memory.memories import Memories


def memories_of(config: Config, clock: Clock) -> Memories:
    """Return the notes of a workspace. Nothing is opened before it is needed; `close` it."""
    workspace = config.workspace
    return Memories(workspace.memories, workspace.memory_index, clock=clock)
