"""Slash commands: the same on every channel, answered at once, never seen by a model.

Promises that an unknown command is answered with the nearest known one, and that a path or a fraction which begins
with a slash is taken for a message. Knows no platform.
"""

import difflib
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from picklebot.core.source import Source

_COMMAND = re.compile(r"/([a-z][a-z_-]{0,30})(?:@\S+)?(?:\s+(.*))?", re.DOTALL)

QUEUED = frozenset({"compact"})  #: commands that are turns of their own, each in its place in the session
Run: TypeAlias = Callable[[Source, str], Awaitable[str]]


May: TypeAlias = Callable[[Source, str], bool]


def _everybody(source: Source, name: str) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Command:
    """A slash command. `usage` is what may follow its name."""

    name: str
    usage: str
    summary: str
    run: Run


class Commands:
    """The table of commands."""

    def __init__(self, commands: Mapping[str, Command], *, may: May = _everybody) -> None:
        """`may` says whether a command is for whoever speaks."""
        self._may = may
        self._commands = {"help": Command("help", "", "What can be typed here.", self._help), **commands}

    @property
    def known(self) -> list[Command]:
        """Every command, by name."""
        return [self._commands[name] for name in sorted(self._commands)]

    @staticmethod
    def parse(content: str) -> tuple[str, str] | None:
        """Return (name, argument) if `content` is a command, known or not; None if it is a message.

        One that is queued is a message: it waits for its place, and outlives a crash as any message does.
        """
        match = _COMMAND.fullmatch(content.strip())
        return (match[1], (match[2] or "").strip()) if match and match[1] not in QUEUED else None

    async def run(self, source: Source, command: tuple[str, str]) -> str:
        """Return the answer to a command.

        Raises:
            PicklebotError: it could not be done; the message says why.
        """
        name, argument = command
        found = self._commands.get(name)
        if found is None:
            near = difflib.get_close_matches(name, self._commands, n=1)
            hint = f"Did you mean /{near[0]}?" if near else "/help lists what there is."
            return f"There is no command /{name}. {hint}"
        if not self._may(source, name):
            return f"/{name} is for the owner. /help lists what is for you."
        return await found.run(source, argument)

    async def _help(self, source: Source, argument: str) -> str:
        known = [command for command in self.known if self._may(source, command.name)]
        width = max(len(f"{c.name} {c.usage}") for c in known) + 1
        return "```\n" + "\n".join(f"/{f'{c.name} {c.usage}':{width}} {c.summary}" for c in known) + "\n```"
