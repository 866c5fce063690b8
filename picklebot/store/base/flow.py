"""Messages on their way: from the door to the end of their turn, and out to the platform. Values and seams; knows no SQL."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from picklebot.core.events import InboundEvent, OutboundEvent, Outcome, Reply, TurnEvent
from picklebot.core.journal import CallState, PlannedCall, RecordedStep
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.messages import Message, ToolResult
from picklebot.core.source import Source
from picklebot.store.base.joining import Joined, Joining
from picklebot.store.base.refusals import Refusal

POISON = "Poison"  #: the kind of failure of a message that is set aside, because its turn never ends


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """A message at the door. `agent_id` is who answers if the source has no session yet.

    With `session_id` it goes to that session; with `new_session` to a fresh one; else to the source's own.
    `pinned` says that the sender named the agent: then only a session of that agent will do. `aside`: for this one
    message, and the source's own session stays what it is.
    """

    source: Source
    content: str
    key: str
    agent_id: str
    at: datetime
    session_id: str | None = None
    new_session: bool = False
    pinned: bool = False
    aside: bool = False
    deliver: str | None = None
    """Where the reply goes, as in `InboundEvent`."""
    outside: bool = False
    """As in `InboundEvent`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Acceptance:
    """What became of an arrival. A duplicate carries the event of the first time."""

    seq: int
    event: InboundEvent
    duplicate: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """A message or a task being answered: what was asked, how often it was begun, what is already done."""

    seq: int
    event: TurnEvent
    attempts: int
    opening: Message | None
    """The user message as it was put to the model the first time; None before that."""
    steps: Sequence[RecordedStep] = ()
    parked: bool = False
    """It was put off before, and its user was told."""
    again: bool = False
    """It was begun before."""
    suspect: bool = False
    """It was begun twice and never ended: it may be what kills the daemon, and is not open yet."""
    alone: bool = False
    """It is begun once more to see whether it is that: nothing joins it."""
    joined: Sequence[Joined] = ()
    """Other messages that it answers too, as far as is known when it is begun; oldest first."""
    called_off: bool = False
    """Its user does not want it answered any more: it is begun to end."""

    @property
    def id(self) -> str:
        """A turn is named by the event it answers."""
        return self.event.id


@dataclass(frozen=True, slots=True, kw_only=True)
class Conclusion:
    """How a turn ended: what goes into the transcript and what goes out, all in one transaction.

    `kind` is the class of its `error`. `last` is the final model reply when it was not journalled as a step of its own. `joined` are the messages beside
    its own that end with it; None where none ever joined it. `interrupted`: it is answered in the turn of the next one.
    """

    turn: Turn
    outcome: Outcome
    messages: Sequence[Message]
    outbound: Sequence[Reply]
    at: datetime
    error: str | None = None
    kind: str | None = None
    last: RecordedStep | None = None
    marks: Marks = NO_MARKS
    joined: Sequence[Joined] | None = None
    interrupted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledOff:
    """The oldest open message of a session, and the seqs of those that its user does not want answered any more."""

    oldest: TurnEvent
    seqs: frozenset[int]


class Inbox(Protocol):
    """Messages from their acceptance to the end of their turn."""

    async def accept(self, arrival: Arrival, *, limit: int, room: int = 0) -> Acceptance:
        """Put a message on disk, in its session; the same channel and key again gives the first one back.

        `room` says how many messages to the agent would be begun at once. Where that is more than are begun so already
        and nothing else is open in the session, its attempt is counted with it: then `begin` need not write.

        Raises:
            QueueFull: the session has `limit` messages open already.
            NotFound: `arrival.session_id` names no session.
            StoreFull: there is no room; nothing was accepted.
        """
        ...

    async def seen(self, channel: str, key: str) -> InboundEvent | None:
        """Return the message that was accepted under this key, if there was one."""
        ...

    async def answer(self, arrival: Arrival, reply: str, *, error: str | None = None) -> OutboundEvent | None:
        """Accept a command and its reply at once, with no turn; None if its key was seen before.

        With `error` it counts as failed. Its claim ends with it.
        """
        ...

    async def due(self, now: datetime, *, limit: int, busy: Sequence[str] = ()) -> list[tuple[str, str]]:
        """Return (session, agent) of sessions with a message to begin now, longest waiting first."""
        ...

    async def next_due(self, now: datetime) -> datetime | None:
        """Return when the next deferred message may begin, if one waits."""
        ...

    async def parked_until(self, session_id: str, now: datetime) -> datetime | None:
        """Return until when the session's oldest message is put off, if it is: the others wait behind it."""
        ...

    async def call_off(self, session_id: str, source: Source | None = None) -> CalledOff | None:
        """Write down that what is open in a session, or there from one source, is begun now and ends at once.

        None: nothing is open. What comes later joins none of it.
        """
        ...

    async def begin(
        self, session_id: str, now: datetime, *, alone: bool = False, joining: Joining | None = None
    ) -> Turn | None:
        """Open the session's oldest message as a turn and count the attempt; None if nothing may begin now.

        One that was begun twice and never ended is opened only `alone`; else it is a `suspect`, and nothing was counted.
        With `joining`, what waits behind it joins its opening.
        """
        ...

    async def overtaken(self, turn: Turn) -> bool:
        """Return whether a message that came from the turn's own source after it waits."""
        ...

    async def release(self, turn: Turn) -> None:
        """Put a turn back unharmed: the daemon stops. Its attempt is not counted."""
        ...

    async def bury(self, turn: Turn, *, error: str, notice: Reply | None) -> None:
        """Set a message aside for good: it is kept, shown, and begun again only by hand."""
        ...

    async def defer(
        self,
        turn: Turn,
        *,
        until: datetime,
        why: str,
        kind: str = "Parked",
        notice: Reply | None,
        refusal: Refusal | None = None,
    ) -> bool:
        """Park a turn until `until`; its steps stay. `notice` tells the user why; return whether it is on its way.

        A `refusal` that was told already, for a job to whoever reads of it, is not told again.
        """
        ...


class Turns(Protocol):
    """The step journal."""

    async def record_step(
        self, turn: Turn, step: RecordedStep, calls: Sequence[PlannedCall], *, opening: Message, at: datetime
    ) -> None:
        """Record a model's reply, with its tool calls as intents; with the first step also the turn's opening."""
        ...

    async def take_in(self, turn: Turn, step: int, joining: Joining) -> list[Joined]:
        """Let what waits in its session join a running turn, to be seen from `step` on; return what did."""
        ...

    async def start_call(self, turn: Turn, step: int, call_id: str, *, at: datetime) -> None:
        """Record that a call is about to have its effect."""
        ...

    async def record_result(self, turn: Turn, step: int, result: ToolResult, *, state: CallState, at: datetime) -> None:
        """Record what came of a call."""
        ...

    async def finish(self, conclusion: Conclusion) -> bool:
        """End a turn: transcript, spend, inbox row and replies; return whether its session has more open."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxRow:
    """A reply that is due. `attempts` counts this one; `unknown`: an earlier one may have arrived.

    `since` is when its time to be delivered began: when it was written, or put on its way again by hand.
    """

    seq: int
    event: OutboundEvent
    attempts: int
    since: datetime
    unknown: bool = False
    more: bool = False
    """Others wait behind it for the same peer."""


class Quay(Protocol):
    """Has places for replies that leave as soon as they are written."""

    def book(self) -> bool:
        """Take a place, if there is one."""
        ...

    def free(self) -> None:
        """Give a place back that is not needed."""
        ...


class Outbox(Protocol):
    """Replies from the end of their turn to the platform's receipt."""

    def open(self, channel: str, quay: Quay) -> None:
        """Let the ends of turns claim their replies for `channel`, where `quay` has a place."""
        ...

    def close(self) -> None:
        """Let none be claimed by the end of a turn any more."""
        ...

    def claimed(self, event_id: str) -> OutboxRow | None:
        """Return a reply that the end of its turn has claimed, once: whoever asks must send it."""
        ...

    async def claim(self, channel: str, now: datetime, *, limit: int, busy: Sequence[str] = ()) -> list[OutboxRow]:
        """Take each peer's oldest unacknowledged reply, mark it as being sent and count the attempt."""
        ...

    async def next_due(self, channel: str) -> datetime | None:
        """Return when the next reply of a channel may be tried; None if none waits."""
        ...

    async def ack(self, row: OutboxRow, *, receipt: str, at: datetime) -> None:
        """The platform has it."""
        ...

    async def reschedule(self, row: OutboxRow, *, not_before: datetime, error: str, unknown: bool = False) -> None:
        """Try again from `not_before`."""
        ...

    async def bury(self, row: OutboxRow, *, error: str, at: datetime) -> None:
        """Give up: kept, shown, and retried by hand."""
        ...
