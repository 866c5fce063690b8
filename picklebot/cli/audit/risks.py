"""What the audit has found, and what it looked at: plain values."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.tools.base import Tool

Severity: TypeAlias = Literal["critical", "warn", "info"]
ORDER: Mapping[Severity, int] = {"critical": 0, "warn": 1, "info": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """One thing that is open, and what closes it. `rule` is a short name that stays the same."""

    severity: Severity
    rule: str
    message: str
    fix: str

    def to_json(self) -> dict[str, Any]:
        """Return it as programs read it."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class Premises:
    """What is judged: the settings, the definitions, the tools there would be, and the environment's own sandbox."""

    config: Config
    library: Library
    tools: Mapping[str, Tool]
    sandboxed: bool
    """Whether a sandbox holds here."""
    root: bool
    """Whether this runs as root."""
