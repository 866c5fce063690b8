"""The channel seam: messages in, replies out.

A channel promises to tell its platform "received" only from `Incoming.settle`, and to say by the error that `send`
raises what the caller may do next. Knows no session and no agent.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypeAlias, runtime_checkable

from picklebot.core.source import Source
from picklebot.errors import PicklebotError


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """The message is on disk, as `event_id`. `duplicate`: it had been before, and nothing new will come of it."""

    event_id: str
    session_id: str
    duplicate: bool = False


Settle: TypeAlias = Callable[[Accepted | PicklebotError], None]


def _no_platform_waits(verdict: Accepted | PicklebotError) -> None:
    """The default `settle`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attached:
    """A file that came with a message. `name` is what its sender calls it; `suffix` is for one that has no ending.

    `fetch` brings its bytes, at most one more than it is told; it raises `ChannelError` where they cannot be had.
    """

    kind: str
    fetch: Callable[[int], Awaitable[bytes]]
    name: str = ""
    suffix: str = ""
    size: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SentFile:
    """A file on its way to a person."""

    name: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """What a platform brought. `key` is its own id of the message: the same key is the same message.

    `agent` and `session` are the sender's wishes, if any; `new_session` asks for a fresh one. `deliver` says where the
    reply goes, as in `InboundEvent`. `settle` is called once: with `Accepted` after the commit, or with the error for
    which it was refused. `sender` is what the sender is called: shown, and never compared. `private`: nobody else
    reads what is said there. `outside`: it brings words that are not the sender's own.
    """

    source: Source
    content: str
    key: str
    agent: str | None = None
    session: str | None = None
    new_session: bool = False
    deliver: str | None = None
    settle: Settle = _no_platform_waits
    sender: str = ""
    private: bool = True
    outside: bool = False
    files: Sequence[Attached] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """An answer that a person may give with one touch: what the button shows, and what pressing it says."""

    label: str
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message with all that may go with it.

    `draft` is the id of what shows its beginning already; `answers` are the ids of the messages that it answers.
    `tried_since`: it was tried before, but not before that moment, and may be there.
    """

    content: str
    key: str
    draft: str | None = None
    choices: Sequence[Choice] = ()
    files: Sequence[SentFile] = ()
    answers: Sequence[str] = ()
    tried_since: datetime | None = None


@runtime_checkable
class RichChannel(Protocol):
    """A channel that takes more than text: choices as buttons, and files."""

    async def deliver(self, to: Source, letter: Letter) -> str:
        """Deliver as `Channel.send` does, with all that goes with it."""
        ...


@runtime_checkable
class LiveChannel(Protocol):
    """A channel on which a reply can be seen as it grows."""

    preview_pause: float  #: seconds between two looks

    async def typing(self, to: Source) -> None:
        """Show that somebody is at work; it passes by itself after a few seconds."""
        ...

    async def preview(self, to: Source, content: str, *, draft: str | None) -> str:
        """Show what there is of a reply, in place of `draft` if there is one; return the id of what shows it."""
        ...


@runtime_checkable
class MenuChannel(Protocol):
    """A channel that can list slash commands."""

    async def show_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """List (name, what it does)."""
        ...


@runtime_checkable
class Knowing(Protocol):
    """A channel that can tell an id of its people from whatever else may stand in a list."""

    id_like: str  #: how one looks

    def is_id(self, person: str) -> bool:
        """Return whether somebody can have this id there."""
        ...


class Bookmarks(Protocol):
    """Remembers how far places of a platform were read."""

    async def of(self, channel: str) -> Mapping[str, str]:
        """Return how far each place of a channel was read."""
        ...

    async def keep(self, channel: str, marks: Mapping[str, str]) -> None:
        """Write down how far places were read.

        Raises:
            StoreFull: there is no room for it.
        """
        ...


@runtime_checkable
class CatchingUp(Protocol):
    """A channel whose platform says once what was said, so that after an absence it is asked what came meanwhile."""

    def remember_in(self, bookmarks: Bookmarks) -> None:
        """Use these bookmarks, from before the first `connect`."""
        ...


@runtime_checkable
class Closing(Protocol):
    """A channel that holds something for as long as the daemon runs."""

    async def aclose(self) -> None:
        """Let go of it."""
        ...


class Channel(Protocol):
    """A platform that people talk on."""

    @property
    def name(self) -> str:
        """The first part of every source of this channel."""
        ...

    @property
    def keyed(self) -> bool:
        """Whether the platform itself drops a second message with the same key."""
        ...

    @property
    def max_length(self) -> int | None:
        """Characters in one message; None where there is no limit."""
        ...

    @property
    def hint(self) -> str:
        """What an agent should know of replies here: the prompt's channel layer."""
        ...

    def connect(self) -> AbstractAsyncContextManager[AsyncIterator[Incoming]]:
        """Open the platform and yield what arrives. The iterator ends when the platform has no more to say."""
        ...

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Deliver `content`; return the platform's receipt, or "" where it gives none.

        Raises:
            ChannelUnavailable: try again later, with the same key.
            DeliveryRejected: never.
        """
        ...
