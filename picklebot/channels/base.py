"""The channel seam: messages in, replies out.

A channel promises to tell its platform "received" only from `Incoming.settle`, and to say by the error that `send`
raises what the caller may do next. Knows no session and no agent.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeAlias

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
class Incoming:
    """What a platform brought. `key` is its own id of the message: the same key is the same message.

    `agent` and `session` are the sender's wishes, if any; `new_session` asks for a fresh one. `deliver` says where the
    reply goes, as in `InboundEvent`. `settle` is called once: with `Accepted` after the commit, or with the error for
    which it was refused.
    """

    source: Source
    content: str
    key: str
    agent: str | None = None
    session: str | None = None
    new_session: bool = False
    deliver: str | None = None
    settle: Settle = _no_platform_waits


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
