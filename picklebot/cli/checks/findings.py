"""What a check has found: plain values."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

Level: TypeAlias = Literal["ok", "info", "warning", "error"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact about one part, and what would mend it where something would."""

    level: Level
    check: str
    message: str
    fix: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Return it without the mending that is not there."""
        return {key: value for key, value in asdict(self).items() if value is not None}
