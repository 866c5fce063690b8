"""Which tools an agent is given, and which of its calls need the owner's word: pure.

Deny beats ask beats allow, whoever says which: the daemon's rules, the agent's file, or the agent that called it. Knows
no tool's work, and nothing of how the owner is asked.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from picklebot.core.marks import BOTH
from picklebot.core.rights import Sandbox
from picklebot.errors import ConfigError
from picklebot.tools.base import Tool, ToolContext

Rule: TypeAlias = Literal["allow", "ask-unsandboxed", "ask", "deny"]
_STRICT: Mapping[str, int] = {"allow": 0, "ask-unsandboxed": 1, "ask": 2, "deny": 3}

CHANGING = frozenset({"bash", "write_file", "edit_file"})  #: what an agent with `sandbox: read-only` does not get
SHELL = "bash"


@dataclass(frozen=True, slots=True)
class Need:
    """A call needs the owner's word; `why` is the beginning of a sentence."""

    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What holds in one turn. `rules` are those of the daemon and of the agent; `apart`: there is a sandbox.

    `asking` are tools for which the agent that called this one must ask.
    """

    rules: tuple[Mapping[str, Rule], ...] = ()
    sandbox: Sandbox = "workspace"
    apart: bool = True
    asking: Collection[str] = ()

    def permitted(self, tools: Iterable[Tool]) -> list[Tool]:
        """Return the tools that are not denied."""
        kept = CHANGING if self.sandbox == "read-only" else frozenset[str]()
        return [tool for tool in tools if tool.name not in kept and self._rule(tool.name) != "deny"]

    def asks(self, name: str) -> bool:
        """Return whether each call of the tool needs the owner's word."""
        rule = self._rule(name)
        return name in self.asking or rule == "ask" or (rule == "ask-unsandboxed" and not self._confined)

    def need(self, tool: Tool, context: ToolContext) -> Need | None:
        """Return why a call needs the owner's word; None if it does not."""
        if self.asks(tool.name):
            unconfined = self._rule(tool.name) == "ask-unsandboxed"
            where = "would run without a sandbox" if unconfined else "needs the owner's word each time"
            return Need(f"{tool.name} {where}")
        sends = tool.sends or (tool.name == SHELL and not self._confined)
        if sends and context.marks >= BOTH:
            return Need(
                f"this turn has read private things and things from outside, and {tool.name} may send something away"
            )
        return None

    @property
    def _confined(self) -> bool:
        return self.apart and self.sandbox != "off"

    def _rule(self, name: str) -> Rule:
        """Return the strictest rule; one for `mcp__server` is one for each of its tools."""
        found: list[Rule] = ["allow"]
        for rules in self.rules:
            for key, rule in rules.items():
                if key == name or _covers(key, name):
                    found.append(rule)
        return max(found, key=lambda rule: _STRICT[rule])


def _covers(key: str, name: str) -> bool:
    return key.startswith("mcp__") and name.startswith(f"{key}__")


def check_consent(agent_id: str, sandbox: str, *, allow_off: bool) -> None:
    """Refuse an agent that wants no sandbox where the configuration does not agree.

    Raises:
        ConfigError: it does not.
    """
    if sandbox == "off" and not allow_off:
        raise ConfigError(
            f"agent {agent_id!r} says `sandbox: off`; config.yaml must agree with sandbox.allow_off: true"
        )
