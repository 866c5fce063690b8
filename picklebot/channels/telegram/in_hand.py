"""Messages of Telegram's between their arrival and the word that they are on disk, or refused.

Promises that one which takes long, because its files are on their way, holds up only what Telegram is told, and nobody
else's messages. Knows no call.
"""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from picklebot.channels.base import Accepted, Settle
from picklebot.channels.telegram.updates import Said
from picklebot.clock import Clock
from picklebot.errors import PicklebotError

PATIENCE = timedelta(seconds=1)  #: for which what comes next waits


@dataclass(slots=True)
class _Waiting:
    said: Said
    numbers: Collection[int]
    verdict: Accepted | PicklebotError | None = None


class InHand:
    """Those of one connection."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._waiting: list[_Waiting] = []
        self._news = asyncio.Event()

    def add(self, said: Said, numbers: Collection[int]) -> Settle:
        """Take a message in hand, which came as these updates; return what is to be told the verdict."""
        waiting = _Waiting(said, numbers)
        self._waiting.append(waiting)

        def settle(verdict: Accepted | PicklebotError) -> None:
            waiting.verdict = verdict
            self._news.set()

        return settle

    def numbers(self) -> Collection[int]:
        """Return the updates that Telegram is not to forget yet."""
        return [number for waiting in self._waiting for number in waiting.numbers]

    async def settled(self) -> list[tuple[Said, Accepted | PicklebotError]]:
        """Return those that have a verdict, in order, and let go of them: all, if that does not take too long."""
        until, more = self._clock.now() + PATIENCE, True
        while more and any(waiting.verdict is None for waiting in self._waiting):
            self._news.clear()
            more = await self._clock.wait(self._news, until=until)
        done = [(each.said, each.verdict) for each in self._waiting if each.verdict is not None]
        self._waiting = [each for each in self._waiting if each.verdict is None]
        return done
