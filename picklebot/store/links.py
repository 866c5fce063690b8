"""An event, what led to it and what came of it: the values, and who explains them. Knows no SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.events import Event
from picklebot.core.source import Source
from picklebot.store.turn_reports import ReplyReport, StepReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Ahead:
    """The message that had, or has, its turn before another one of its session."""

    id: str
    content: str
    state: str | None
    """Of its turn; None where that has not begun."""
    ended_at: datetime | None
    more: int = 0
    """How many further ones stand between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """What became of an accepted message. `outcome` is its turn's state, None where none was begun."""

    state: str
    outcome: str | None
    agent_id: str
    key: str
    place: int
    """Its number among the messages of its session, from 1."""
    attempts: int
    error: str | None
    not_before: datetime | None
    started_at: datetime | None
    finished_at: datetime | None
    ahead: Ahead | None
    steps: Sequence[StepReport]
    answered_in: str | None = None
    """The id of the message whose turn answers it, where that is not its own."""
    interrupted: bool = False
    """It had a turn, which that message interrupted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """An event, what became of it, and the events that it caused."""

    seq: int
    event: Event
    intake: Intake | None
    reply: ReplyReport | None
    effects: Sequence["Link"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """A tree from the first cause, and the event that was asked about. `running`: turns in hand, by agent."""

    root: Link
    asked: str
    running: Mapping[str, int]


class Chains(Protocol):
    """Explains events."""

    async def chain(self, event_id: str, *, of: Source | None = None) -> Chain:
        """Return the tree that an event is part of; a unique beginning of its id will do.

        With `of`, only events of that source's sessions are known, and causes are followed no further than these.

        Raises:
            NotFound: no event, or more than one, begins so.
        """
        ...

    async def latest(self, source: Source) -> str | None:
        """Return the id of the last message from `source` that a turn was or will be begun for."""
        ...
