"""What is said on the bus: frozen facts, each with an identity and a cause.

Durable events are rows before anyone hears of them. Notices are live only: whoever misses one has missed
nothing that the store does not know. Knows no bus and no store.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal, TypeAlias

from picklebot.core.ids import new_id
from picklebot.core.marks import NO_MARKS, Marks
from picklebot.core.rights import Rights
from picklebot.core.source import Source

Outcome: TypeAlias = Literal["done", "failed", "stopped", "parked"]


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened in a session, and the event that caused it."""

    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=_now)
    session_id: str
    source: Source
    cause_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class InboundEvent(Event):
    """A message for an agent. `key` is the platform's own id: the same key again is the same message.

    `deliver` says where the reply goes: None back to its source, `none` nowhere, `last` to where the owner spoke last,
    else to the source that it names.
    """

    agent_id: str
    content: str
    key: str
    deliver: str | None = None
    outside: bool = False
    """It brings words that are not its sender's own: forwarded, or quoted from somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchEvent(Event):
    """A task that one agent gives another, in a session of its own; `cause_id` is the event that the caller answers.

    `tool_call_id` is the durable key of the caller's tool call: the same one again is the same task.
    """

    agent_id: str
    content: str
    parent_session_id: str
    tool_call_id: str
    rights: Rights = field(default_factory=Rights)

    @property
    def key(self) -> str:
        """The dedupe key."""
        return self.tool_call_id


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchResultEvent(Event):
    """What came of a dispatched task; `cause_id` is the task's event."""

    content: str
    error: str | None = None
    marks: Marks = NO_MARKS
    """What the task's turn had read: the caller, which reads this, has read it too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboundEvent(Event):
    """A reply on its way to `to`; `cause_id` is the event it answers. `part` counts up when it is split."""

    content: str
    to: Source
    error: str | None = None
    part: int = 0
    also: tuple[str, ...] = ()
    """Ids of other messages from there that it answers too: they joined the turn, or were interrupted for it."""
    choices: tuple[tuple[str, str], ...] = ()
    """Answers that may be given with one touch: what each is called, and what it says. Elsewhere they are typed."""
    files: tuple[str, ...] = ()
    """Files of the workspace that go with it."""

    @property
    def takes_draft(self) -> bool:
        """Whether what is shown of its turn as it grows, where that was asked for, becomes this message."""
        return self.cause_id is not None and not self.part and self.to == self.source

    def answers(self, event_id: str) -> bool:
        """Return whether this is a reply to that message."""
        return event_id == self.cause_id or event_id in self.also


TurnEvent: TypeAlias = InboundEvent | DispatchEvent
"""What a turn is begun for."""
Reply: TypeAlias = OutboundEvent | DispatchResultEvent
"""What a turn has to say, to people or to the agent that called."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice(Event):
    """The base of what is live only. `cause_id` is the event that the turn answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnStarted(Notice):
    """An agent began to answer."""

    agent_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TextDelta(Notice):
    """A piece of text as the model speaks it. `restart` means: what this step said so far is void."""

    text: str
    restart: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(Notice):
    """A tool began to run. `summary` is its input on one line."""

    call_id: str
    tool: str
    summary: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(Notice):
    """A tool ended. `summary` is the start of its output on one line."""

    call_id: str
    tool: str
    summary: str
    seconds: float
    is_error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnFinished(Notice):
    """A turn ended; whatever it had to say is in the outbox by now."""

    agent_id: str
    outcome: Outcome
    error: str | None = None
    kind: str = ""
    """The name of the error's class, for programs; "" when there was none.

    "Interrupted": a newer message of the same source takes over, and its reply answers this one too.
    """
    also: tuple[str, ...] = ()
    """Ids of the other messages whose end this is."""

    def ends(self, event_id: str) -> bool:
        """Return whether this is the end of that message."""
        return self.kind != "Interrupted" and (event_id == self.cause_id or event_id in self.also)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFailed(Notice):
    """A reply was buried: kept, shown, and sent again only by hand."""

    to: Source
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionChanged(Notice):
    """A definition file was loaded, removed, or found broken (`error`)."""

    kind: Literal["agent", "cron", "skill"]
    definition_id: str
    error: str | None = None
