"""What guests may do: talk, and use what shows nothing of the owner's and changes nothing.

Promises that a tool, a command or a prompt file which is not named here or in the settings stays the owner's. Pure.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from picklebot.core.source import Source
from picklebot.tools.base import Tool
from picklebot.workers.people import by_channel

COMMANDS = frozenset({"help", "new", "session", "sessions", "context", "compact", "stop"})  #: slash commands of guests
_PRIVATE = frozenset({"The user"})  #: titles of prompt sections that are about the owner


def _nobody(source: Source) -> bool:
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Guests:
    """Knows who is a guest, and what that means. `tools` are those of each channel's guests, by name."""

    is_owner: Callable[[Source], bool] = by_channel
    is_guest: Callable[[Source], bool] = _nobody
    tools: Mapping[str, Collection[str]] = field(default_factory=dict[str, Collection[str]])

    def may_command(self, source: Source, name: str) -> bool:
        """Return whether a slash command is for whoever speaks."""
        return name in COMMANDS or not self.is_guest(source)

    def equip(self, source: Source, tools: Sequence[Tool]) -> list[Tool]:
        """Return those of `tools` that a turn for `source` may use."""
        if not self.is_guest(source):
            return list(tools)
        allowed = self.tools.get(source.channel, ())
        return [tool for tool in tools if tool.name in allowed]

    def sections(self, source: Source, sections: Sequence[tuple[str, str]]) -> Sequence[tuple[str, str]]:
        """Return those prompt files that are read in a turn for `source`."""
        if not self.is_guest(source):
            return sections
        return [(title, text) for title, text in sections if title not in _PRIVATE]
