"""Which tools there are.

Promises the tools that the daemon would offer, or a `ConfigError` that says why it could not. They are loaded by name,
because what makes them brings every adapter along, and because `doctor` must outlive a part that cannot be imported.
"""

from typing import cast

from picklebot.config import Config
from picklebot.plugins import load
from picklebot.tools.base import Tool


def known_tools(config: Config) -> list[Tool]:
    """Return every tool an agent could get, by name."""
    tools = cast("list[Tool]", load("picklebot.wiring.tools:describe_tools", config=config))
    return sorted(tools, key=lambda tool: tool.name)
