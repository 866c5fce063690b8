"""How far a platform was read, where it does not keep an account of that itself.

Promises that a bookmark is moved past a message only when that and all before it at the same place were accepted or
turned away: what is behind it may be asked for again, and is known by its key. Knows no platform.
"""

import asyncio
import logging
from collections.abc import Mapping

from picklebot.channels.base import Bookmarks
from picklebot.errors import StoreFull

logger = logging.getLogger(__name__)

PASSING = 100  #: messages to somebody else after which it is written down that they were read


class Nowhere:
    """Bookmarks that are forgotten at the end of the process."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}

    async def of(self, channel: str) -> Mapping[str, str]:
        """Return what was kept."""
        return dict(self._marks)

    async def keep(self, channel: str, marks: Mapping[str, str]) -> None:
        """Keep it."""
        self._marks |= marks


class Reading:
    """The messages of one channel between their arrival and their settlement.

    A message has a number, by which those of one place are in order, and a mark, by which the platform finds it.
    """

    def __init__(self, channel: str, bookmarks: Bookmarks | None = None) -> None:
        self._channel = channel
        self._bookmarks = bookmarks or Nowhere()
        self._known: set[str] = set()
        self._open: dict[str, dict[int, str]] = {}
        self._last: dict[str, tuple[int, str]] = {}
        self._moved: dict[str, str] = {}
        self._news = asyncio.Event()
        self._passed = 0

    async def begin(self) -> Mapping[str, str]:
        """Return how far each place was read, and forget what was on its way: it will come again."""
        marks = {**await self._bookmarks.of(self._channel), **self._moved}
        self._known |= {*marks}
        self._open.clear()
        self._last.clear()
        return marks

    def knows(self, place: str) -> bool:
        """Return whether a message of a place was ever accepted."""
        return place in self._known

    def arrived(self, place: str, number: int, mark: str) -> None:
        """A message is on its way to be accepted."""
        self._open.setdefault(place, {})[number] = mark
        if number > self._last.get(place, (-1, ""))[0]:
            self._last[place] = (number, mark)

    def settled(self, place: str, number: int, *, accepted: bool) -> None:
        """It was accepted or turned away. A place is remembered from the first message that was accepted."""
        waiting = self._open.get(place, {})
        first = number == min(waiting, default=None)
        mark = waiting.pop(number, None)
        if accepted:
            self._known.add(place)
        if not waiting:
            self._open.pop(place, None)
        if place not in self._known:
            if not waiting:
                self._last.pop(place, None)
        elif mark is not None and not waiting:
            self._move(place, self._last[place][1])
        elif mark is not None and first:
            self._move(place, mark)

    def passed(self, place: str, number: int, mark: str) -> None:
        """A message that nobody here has to answer was said at a place: it need not be read again."""
        if place not in self._known or number <= self._last.get(place, (-1, ""))[0]:
            return
        self._last[place] = (number, mark)
        if place not in self._open:
            self._moved[place] = mark
            self._passed += 1
            if self._passed % PASSING == 0:
                self._news.set()

    async def follow(self) -> None:
        """Write down how far places were read whenever that has changed, until cancelled."""
        while True:
            await self._news.wait()
            self._news.clear()
            await self.write()

    async def write(self) -> None:
        """Write down how far each place was read; on a full disk, the next time."""
        if not (moved := self._moved):
            return
        self._moved = {}
        try:
            await self._bookmarks.keep(self._channel, moved)
        except StoreFull as exc:
            logger.warning("%s: how far it was read is not written down: %s", self._channel, exc)
            self._moved = {**moved, **self._moved}

    def _move(self, place: str, mark: str) -> None:
        self._moved[place] = mark
        self._news.set()
