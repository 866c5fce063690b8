"""Which agent answers a source that has no session yet.

Bindings are full-match regular expressions. Exact ones win over patterns, patterns over wildcards; within a tier those
made in a conversation over those of the file, then the order in which they were written decides. Where none matches,
the default agent answers. Knows no session.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from picklebot.core.source import Source
from picklebot.errors import ConfigError

_SPECIAL = set(r".*+?[](){}|^$\\")
TIERS = ("this very source", "a pattern", "a wildcard")


@dataclass(frozen=True, slots=True)
class Binding:
    """A pattern of sources and the agent that answers them. Lower tiers win.

    `literal`: the pattern is a source as it is spelled. `made`: by /route, and not in config.yaml.
    """

    pattern: str
    agent_id: str
    literal: bool = False
    made: bool = False

    @property
    def tier(self) -> int:
        """0 for a plain string, 2 for a pattern that holds `.*`, 1 for any other pattern."""
        if self.literal or not set(self.pattern) & _SPECIAL:
            return 0
        return 2 if ".*" in self.pattern else 1

    def matches(self, source: Source) -> bool:
        """Return whether it speaks of `source`.

        Raises:
            ConfigError: its pattern is no regular expression.
        """
        text = str(source)
        return text == self.pattern if self.literal else _compiled(self.pattern).fullmatch(text) is not None


class RoutingTable:
    """Bindings in the order in which they are tried; those made in conversations may change while the daemon runs."""

    def __init__(self, bindings: Iterable[Binding], *, default: str, made: Iterable[Binding] = ()) -> None:
        """Put the bindings in order.

        Raises:
            ConfigError: a pattern is no regular expression.
        """
        self.default = default
        self._written = tuple(bindings)
        self.bindings: Sequence[Binding] = ()
        self.learn(made)

    def learn(self, made: Iterable[Binding]) -> None:
        """Let these be the ones made in conversations.

        Raises:
            ConfigError: a pattern is no regular expression; nothing has changed.
        """
        bindings = sorted([*made, *self._written], key=lambda binding: (binding.tier, not binding.made))
        for binding in bindings:
            if not binding.literal:
                _compiled(binding.pattern)
        self.bindings = tuple(bindings)

    def with_made(self, made: Iterable[Binding]) -> "RoutingTable":
        """Return a table in which these are the ones made in conversations.

        Raises:
            ConfigError: a pattern is no regular expression.
        """
        return RoutingTable(self._written, default=self.default, made=made)

    @property
    def made(self) -> Sequence[Binding]:
        """Those made in conversations."""
        return [binding for binding in self.bindings if binding.made]

    def binding(self, source: Source) -> Binding | None:
        """Return the binding that decides for `source`, if one does."""
        return next((binding for binding in self.bindings if binding.matches(source)), None)

    def resolve(self, source: Source) -> str:
        """Return the id of the agent that answers `source`."""
        found = self.binding(source)
        return found.agent_id if found else self.default


def _compiled(pattern: str) -> re.Pattern[str]:
    try:
        return re.compile(pattern)  # which remembers those in use
    except re.error as exc:
        raise ConfigError(f"routing: {pattern!r} is no regular expression: {exc}") from exc
