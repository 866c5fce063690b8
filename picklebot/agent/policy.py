"""Which tools an agent is given: pure.

Deny beats ask beats allow. A tool that has to be asked for is not given while nobody can be asked: no approver
reachable means no. Knows no tool's work.
"""

from collections.abc import Iterable, Mapping
from typing import Literal

from picklebot.errors import ConfigError
from picklebot.tools.base import Tool

CHANGING = frozenset({"bash", "write_file", "edit_file"})  #: what an agent with `sandbox: read-only` does not get


def permitted(
    tools: Iterable[Tool], rules: Mapping[str, str], sandbox: Literal["workspace", "read-only", "off"]
) -> list[Tool]:
    """Return the tools that `rules` and the agent's sandbox leave. `ask-unsandboxed` asks where there is none."""
    asking = {"deny", "ask", "ask-unsandboxed"} if sandbox == "off" else {"deny", "ask"}
    refused = {name for name, rule in rules.items() if rule in asking}
    if sandbox == "read-only":
        refused |= CHANGING
    return [tool for tool in tools if tool.name not in refused]


def check_consent(agent_id: str, sandbox: str, *, allow_off: bool) -> None:
    """Refuse an agent that wants no sandbox where the configuration does not agree.

    Raises:
        ConfigError: it does not.
    """
    if sandbox == "off" and not allow_off:
        raise ConfigError(
            f"agent {agent_id!r} says `sandbox: off`; config.yaml must agree with sandbox.allow_off: true"
        )
