"""What a terminal and its daemon tell each other beside messages. Values; each can be sent as JSON.

Knows no screen and no store.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """Where somebody wants to talk; nothing means: go on."""

    agent: str | None = None
    session: str | None = None
    new: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where somebody talks: who answers, with which model ("" where that is not known), in which session.

    `session_id` is None where the first message will open one. `asked` and `answered` are the last exchange there.
    """

    agent_id: str
    model: str
    session_id: str | None
    turns: int = 0
    asked: str = ""
    answered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What can be typed: commands as (name, usage, summary), agents as (id, description)."""

    commands: Sequence[tuple[str, str, str]]
    agents: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delay:
    """An earlier message of the session waits until then; `spent`: for a day's budget."""

    until: datetime
    spent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a turn has used, and whose it was."""

    agent_id: str
    input_tokens: int
    output_tokens: int
    cost_usd: float


def to_json(value: Wish | Place | Words | Delay | Bill) -> dict[str, Any]:
    """Return a value as JSON has it."""
    fields = asdict(value)
    if isinstance(value, Delay):
        fields["until"] = value.until.isoformat()
    return fields


def delay_from_json(fields: Mapping[str, Any]) -> Delay:
    """Read what `to_json` wrote."""
    return Delay(until=datetime.fromisoformat(fields["until"]), spent=bool(fields["spent"]))
