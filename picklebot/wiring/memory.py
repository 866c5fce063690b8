"""Memory and its tools, made from settings. Knows no turn."""

from typing import cast

from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.memory.embedding import Embedder
from picklebot.memory.memories import Memories
from picklebot.plugins import load
from picklebot.settings import EmbeddingSettings
from picklebot.tools.base import Tool
from picklebot.tools.memory import create_memory_tools
from picklebot.tools.memory_commands import create_memory_command_tool

HTTP, STATIC = "picklebot.memory.embedding_http", "picklebot.memory.embedding_static"


def memories_of(config: Config, clock: Clock) -> Memories:
    """Return the notes of a workspace. Nothing is opened before it is needed; `close` it.

    Raises:
        ConfigError: the embedder that is set cannot be made.
    """
    workspace, settings = config.workspace, config.memory.embeddings
    embedder = _embedder(config, settings) if settings is not None else None
    batch = settings.batch if settings is not None else 1
    return Memories(workspace.memories, workspace.state, clock=clock, embedder=embedder, batch=batch)


def _embedder(config: Config, settings: EmbeddingSettings) -> Embedder:
    if settings.provider == "static":
        folder = config.workspace.root / settings.name
        made = load(STATIC, name=settings.name, folder=str(folder) if folder.is_dir() else None)
        return cast("Embedder", made)
    key = config.secret(settings.api_key_env)
    if key is None and settings.api_key_env is not None:
        raise ConfigError(
            f"memory.embeddings.api_key_env: {settings.api_key_env} is neither in the environment nor in "
            f"{config.workspace.env_file}"
        )
    made = load(
        HTTP,
        name=settings.name,
        base_url=settings.base_url,
        api_key=(key or "").strip(),
        auth=settings.auth,
        query_prefix=settings.query_prefix,
        passage_prefix=settings.passage_prefix,
        timeout=settings.timeout,
    )
    return cast("Embedder", made)


def memory_tools(memories: Memories, clock: Clock) -> list[Tool]:
    """Return the tools that work on the notes."""
    return [*create_memory_tools(memories, clock=clock), create_memory_command_tool(memories, clock=clock)]
