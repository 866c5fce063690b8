"""Which agent answers a source that has no session yet: pure.

Bindings are full-match regular expressions. Exact ones win over patterns, patterns over wildcards, then the order of
the file decides; where none matches, the default agent answers. Knows no session.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from picklebot.core.source import Source
from picklebot.errors import ConfigError

_SPECIAL = set(r".*+?[](){}|^$\\")


@dataclass(frozen=True, slots=True)
class Binding:
    """A pattern of sources and the agent that answers them. Lower tiers win."""

    pattern: str
    agent_id: str

    @property
    def tier(self) -> int:
        """0 for a plain string, 2 for a pattern that holds `.*`, 1 for any other pattern."""
        if not set(self.pattern) & _SPECIAL:
            return 0
        return 2 if ".*" in self.pattern else 1


class RoutingTable:
    """Bindings in the order in which they are tried."""

    def __init__(self, bindings: Iterable[Binding], *, default: str) -> None:
        self.bindings = tuple(sorted(bindings, key=lambda binding: binding.tier))
        self.default = default
        try:
            self._compiled = [(re.compile(b.pattern), b.agent_id) for b in self.bindings]
        except re.error as exc:
            raise ConfigError(f"routing: {exc.pattern!r} is no regular expression: {exc}") from exc

    def resolve(self, source: Source) -> str:
        """Return the id of the agent that answers `source`."""
        text = str(source)
        return next((agent_id for pattern, agent_id in self._compiled if pattern.fullmatch(text)), self.default)
