"""What a dispatched turn may do and use up at most: what its caller had left, as plain values.

Promises to come out of JSON equal, so that it holds after a restart too. Knows no agent and no tool.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, TypeAlias

from picklebot.core.marks import NO_MARKS, Marks, to_marks, to_words

Sandbox: TypeAlias = Literal["workspace", "read-only", "off"]

_STRICT: Mapping[Sandbox, int] = {"off": 0, "workspace": 1, "read-only": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """The bounds of a dispatched turn. `callers` are the agents that wait for it, the first one first."""

    callers: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    sandbox: Sandbox = "read-only"
    steps: int = 1
    seconds: float = 60.0
    marks: Marks = NO_MARKS
    """What the caller had read when it gave the task."""
    asking: tuple[str, ...] = ()
    """Tools for which the caller must ask the owner."""

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self) | {
            "callers": list(self.callers),
            "tools": list(self.tools),
            "marks": to_words(self.marks),
            "asking": list(self.asking),
        }

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> "Rights":
        """Read what `to_json` wrote; fields that it does not know were written by a newer picklebot."""
        known: dict[str, Any] = {name: value for name, value in fields.items() if name in cls.__dataclass_fields__}
        callers, tools = known.pop("callers"), known.pop("tools")
        marks, asking = to_marks(known.pop("marks", ())), tuple(known.pop("asking", ()))
        return cls(callers=tuple(callers), tools=tuple(tools), marks=marks, asking=asking, **known)


def stricter(one: Sandbox, other: Sandbox) -> Sandbox:
    """Return the one that allows less."""
    return max(one, other, key=lambda sandbox: _STRICT[sandbox])
