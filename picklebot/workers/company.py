"""Messages that are answered together: which may be, how they are shown, and who is told of the end.

Promises that everybody whose message a turn answers hears of it once, where they asked. Knows no store and no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal, TypeAlias

from picklebot.agent.prompt import aside
from picklebot.core.events import InboundEvent, TurnEvent
from picklebot.core.messages import Message
from picklebot.core.source import Source
from picklebot.store.base import Joined, Joining, Turn

Queue: TypeAlias = Literal["followup", "collect", "steer", "interrupt"]

MOST = 20  #: messages that join a turn at once
CHARACTERS = 50_000  #: of all that join a turn at once
OWN = frozenset({"cron", "task", "heartbeat", "agent"})  #: channels on which the daemon itself speaks
#: Channels on which nobody sits: their messages are neither joined nor interrupted, and do neither to others.
UNATTENDED = OWN | {"hook"}


def joining_in(zone: tzinfo) -> Joining:
    """Return which messages may join a turn, and what the model is told of each."""

    def context(event: InboundEvent, own: Source) -> str:
        return aside(at=event.created_at, zone=zone, source=None if event.source == own else event.source)

    return Joining(most=MOST, characters=CHARACTERS, apart=UNATTENDED, context=context)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Somewhere that a turn answers: the message that its replies name as their cause, and the others from there."""

    event: TurnEvent
    also: tuple[str, ...] = ()


class Company:
    """The messages that one turn answers beside its own; they grow more while it runs."""

    def __init__(self, turn: Turn) -> None:
        self._turn = turn
        self._opening = [joined for joined in turn.joined if joined.step == 0]
        self._shown = list(self._opening)
        self._open = bool(turn.joined)

    @property
    def shown(self) -> Sequence[Joined] | None:
        """Those that the conversation has; None if none ever joined, and so nothing is to be settled."""
        return self._shown if self._open else None

    def recorded(self, step: int) -> list[Joined]:
        """Return those that the journal says are to be seen from `step` on."""
        return [joined for joined in self._turn.joined if joined.step == step]

    def unseen(self, step: int) -> list[Joined]:
        """Return those of `recorded` that the conversation does not have yet."""
        return [joined for joined in self.recorded(step) if joined not in self._shown]

    def leave(self, event_ids: Sequence[str]) -> None:
        """Let some wait again: they came too late to be answered here."""
        self._shown = [joined for joined in self._shown if joined.event.id not in event_ids]

    def expect(self) -> None:
        """Some may join from now on: even if it is cut before it hears of them, what did not come in waits again."""
        self._open = True

    def show(self, joined: Sequence[Joined]) -> None:
        """The conversation has these now."""
        self._shown += joined

    def forget(self) -> None:
        """The conversation is lost but for its opening."""
        self._shown = list(self._opening)

    def opening(self, first: Message) -> Message:
        """Return the opening with those that were there at the beginning."""
        blocks = [block for joined in self._opening for block in joined.blocks]
        return Message("user", (*first.blocks, *blocks)) if blocks else first

    @property
    def ids(self) -> tuple[str, ...]:
        """The ids of all that end with this turn, but for its own."""
        return tuple(joined.event.id for joined in self._all())

    def places(self) -> Sequence[Place]:
        """Return where the turn is to answer: where its own message is from, and where others are from."""
        own = self._turn.event
        found: dict[Source, Place] = {own.source: Place(event=own)}
        for joined in self._all():
            event = joined.event
            place = found.get(event.source)
            found[event.source] = (
                Place(event=place.event, also=(*place.also, event.id)) if place else Place(event=event)
            )
        return list(found.values())

    def _all(self) -> list[Joined]:
        interrupted = [joined for joined in self._turn.joined if joined.step is None]
        return [*interrupted, *self._shown]
