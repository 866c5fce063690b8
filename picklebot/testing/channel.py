"""A platform in memory.

Promises that nothing waits for ever: whatever a test expects of the daemon is there within `PATIENCE` real seconds, or
the test fails with a `TimeoutError`. Knows no daemon.
"""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from itertools import count
from typing import TypedDict, Unpack

from picklebot.channels.base import Accepted, Incoming, Settle
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, DeliveryRejected, PicklebotError
from picklebot.testing.clock import PATIENCE

ROOM = 100_000  #: messages that a queue of this platform holds


class Wishes(TypedDict, total=False):
    """What a sender may ask for beside an answer: see `Incoming`."""

    agent: str | None
    session: str | None
    new_session: bool
    outside: bool


class FakeChannel:
    """A `Channel` for tests. `say` speaks to it as a person would; `heard` waits for a reply.

    Errors in `failures` are raised by the next calls of `send`, before the platform takes anything; those in
    `lost_receipts` after it did; those in `outages` by the next calls of `connect`.
    """

    hint = ""

    def __init__(self, name: str = "fake", *, keyed: bool = False, max_length: int | None = None) -> None:
        self.name = name
        self.keyed = keyed
        self.max_length = max_length
        self.failures: list[Exception] = []
        self.lost_receipts: list[Exception] = []
        self.outages: list[ChannelUnavailable] = []
        self.receipts: dict[str, str] = {}  #: key -> receipt of every message the platform has
        self.verdicts: dict[str, Accepted | PicklebotError] = {}  #: key -> what became of a message said here
        self._numbers = count(1)
        self._incoming: asyncio.Queue[Incoming | None] = asyncio.Queue(ROOM)
        self._heard: asyncio.Queue[tuple[str, str]] = asyncio.Queue(ROOM)
        self._attempts: asyncio.Queue[str] = asyncio.Queue(ROOM)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Yield what was said and will be said."""
        if self.outages:
            raise self.outages.pop(0)
        async with aclosing(self._messages()) as messages:
            yield messages

    async def _messages(self) -> AsyncGenerator[Incoming, None]:
        while (incoming := await self._incoming.get()) is not None:
            yield incoming

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Take a reply, or fail as `failures` and `lost_receipts` say; a keyed platform drops a key it has."""
        self._attempts.put_nowait(key)
        if self.failures:
            raise self.failures.pop(0)
        if self.max_length is not None and len(content) > self.max_length:
            raise DeliveryRejected(f"the message has {len(content)} characters, {self.max_length} are allowed")
        if not (self.keyed and key in self.receipts):
            self._heard.put_nowait((":".join(to.parts), content))
            self.receipts[key] = f"receipt-{next(self._numbers)}"
        if self.lost_receipts:
            raise self.lost_receipts.pop(0)
        return self.receipts[key]

    async def say(self, text: str, *, peer: str = "ann", key: str | None = None, **wishes: Unpack[Wishes]) -> str:
        """Speak as `peer`; return the message's key. Waits for nobody."""
        key = key or f"m{next(self._numbers)}"
        self._arrive(text, peer, key, lambda verdict: None, wishes)
        return key

    async def say_and_settle(
        self, text: str, *, peer: str = "ann", key: str | None = None, **wishes: Unpack[Wishes]
    ) -> Accepted:
        """Speak, and wait until the message is on disk or refused.

        Raises:
            PicklebotError: the error for which it was refused.
        """
        verdict: asyncio.Future[Accepted | PicklebotError] = asyncio.get_running_loop().create_future()
        self._arrive(text, peer, key or f"m{next(self._numbers)}", verdict.set_result, wishes)
        async with asyncio.timeout(PATIENCE):
            settled = await verdict
        if isinstance(settled, PicklebotError):
            raise settled
        return settled

    def hang_up(self) -> None:
        """Say that the platform has no more to say: the stream of messages ends after those already said."""
        self._incoming.put_nowait(None)

    async def heard(self) -> tuple[str, str]:
        """Wait for the next reply that the platform takes; return (peer, text)."""
        async with asyncio.timeout(PATIENCE):
            return await self._heard.get()

    async def attempted(self) -> str:
        """Wait for the next call of `send`, successful or not; return its key."""
        async with asyncio.timeout(PATIENCE):
            return await self._attempts.get()

    @property
    def silent(self) -> bool:
        """Whether every reply that arrived was read by `heard`."""
        return self._heard.empty()

    def _arrive(self, text: str, peer: str, key: str, then: Settle, wishes: Wishes) -> None:
        def settle(verdict: Accepted | PicklebotError) -> None:
            self.verdicts[key] = verdict
            then(verdict)

        source = Source(self.name, (peer,))
        self._incoming.put_nowait(Incoming(source=source, content=text, key=key, settle=settle, **wishes))
