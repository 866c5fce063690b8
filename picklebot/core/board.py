"""What stands on the task board that all agents share: pure values.

Knows no store and no tool.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

EntryState: TypeAlias = Literal["open", "claimed", "done"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """Whose hand is on the board: an agent, in a session, for the turn that answers the event `turn_id`.

    `key` is that of the tool call: the same one again changes nothing. `outside`: the turn had read what came from
    outside.
    """

    agent_id: str
    session_id: str
    turn_id: str
    key: str
    outside: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardEntry:
    """A piece of work on the board. `claimed_by` is who does it or did it; `outside`: so says somebody from outside."""

    id: int
    title: str
    details: str
    state: EntryState
    added_by: str
    claimed_by: str | None = None
    result: str | None = None
    outside: bool = False
