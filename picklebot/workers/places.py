"""Where the owner speaks. Knows no channel, only their names."""

from picklebot.core.source import Source

#: What only the owner can speak through: the terminal, and what needs the token of this workspace.
OWNER_CHANNELS = frozenset({"cli", "ws", "http"})


def is_owner(source: Source) -> bool:
    """Return whether what comes from `source` is the owner's word."""
    return source.channel in OWNER_CHANNELS
