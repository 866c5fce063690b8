"""A channel that brings nothing and takes everything, for daemons that are measured from outside."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

from picklebot.channels.base import Incoming
from picklebot.core.source import Source


def create(*, name: str) -> "Sink":
    """Return the channel."""
    return Sink(name)


class Sink:
    """Has no one on it."""

    keyed = False
    max_length: int | None = None
    hint = ""

    def __init__(self, name: str) -> None:
        self.name = name

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Yield nothing, for ever."""
        yield _nothing()

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Take it."""
        return key


async def _nothing() -> AsyncGenerator[Incoming, None]:
    await asyncio.Event().wait()
    nothing: list[Incoming] = []
    for incoming in nothing:
        yield incoming
