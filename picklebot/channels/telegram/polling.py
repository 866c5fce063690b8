"""Updates as Telegram hands them over: each once, and together what was sent together (`together`).

Telegram tells of every picture of an album by itself, and not which is the last one. It is whole when another look
brings no further part, or its sender has gone on; until then the offset stays before it, so that a kill loses nothing.
How far it went is written down before it is handed over: after a kill it is the same message again, and a part that
came later is one of its own. Knows no message.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from picklebot.channels.base import Bookmarks
from picklebot.channels.telegram.api import SECONDS, BotApi
from picklebot.channels.telegram.contents import Fields
from picklebot.channels.telegram.together import goes_on, places, sender_of
from picklebot.channels.telegram.updates import KINDS
from picklebot.clock import Clock
from picklebot.errors import ChannelUnavailable, StoreFull

BATCH = 100  #: updates of one answer: what is in memory at once
MAX_PARTS = 10  #: of an album, or a long text
PAUSE = 0.5  #: seconds between two looks at an album
KEPT = 500  #: albums and long texts whose end is known


@dataclass(frozen=True, slots=True)
class Post:
    """What a person did at once: an update, or several, in order, with their numbers."""

    numbers: Sequence[int]
    updates: Sequence[Fields]


class Polling:
    """The updates of one bot."""

    def __init__(self, name: str, api: BotApi, *, seconds: int, clock: Clock, bookmarks: Bookmarks) -> None:
        self._name = name
        self._api = api
        self._seconds = seconds
        self._clock = clock
        self._bookmarks = bookmarks
        self._ends: OrderedDict[str, int] = OrderedDict()  # name -> the last part of it that was handed over
        self._seen: Mapping[str, int] = {}  # what may go on -> its parts, at the last look

    async def looks(self, held: Callable[[], Collection[int]]) -> AsyncGenerator[Sequence[Post], None]:
        """Yield what there is to accept; whoever asks for more has accepted or refused all but what `held` returns.

        Raises:
            ChannelUnavailable: Telegram, or the store, is away.
        """
        self._end({name: int(mark) for name, mark in (await self._bookmarks.of(self._name)).items()})
        offset: int | None = None
        taken: set[int] = set()  # numbers from the offset on that were handed over
        while True:
            updates = await self._ask(offset)
            fresh = {number: each for number, each in updates.items() if number not in taken}
            names = places(fresh)
            whole, growing = self._look(fresh, names)
            await self._write_down(whole)
            yield [*self._posts({number: each for number, each in fresh.items() if number not in growing}, names)]
            if pending := growing.union(held()):
                offset = min(pending)
                taken = {number for number in taken.union(updates) if number >= offset} - growing
                await self._clock.sleep(PAUSE if growing else 0)
            else:  # nothing is left there; and after a quiet week Telegram may count from anywhere
                offset, taken = (max(updates) + 1 if updates else None), set()

    async def _ask(self, offset: int | None) -> dict[int, Fields]:
        """Return the next updates by their numbers, in order."""
        answer = await self._api.call(
            "getUpdates",
            seconds=self._seconds + SECONDS,
            offset=offset,
            limit=BATCH,
            timeout=self._seconds,
            allowed_updates=KINDS,
        )
        found: dict[int, Fields] = {}
        for update in cast("Sequence[Fields]", answer if isinstance(answer, list) else ()):
            match update:  # whatever it really is
                case {"update_id": int(number)}:
                    found[number] = update
                case _:
                    pass
        if not found and answer != []:
            raise ChannelUnavailable("getUpdates: the answer holds no updates")
        return dict(sorted(found.items()))

    def _look(self, updates: Mapping[int, Fields], names: Mapping[int, str]) -> tuple[dict[str, int], set[int]]:
        """Return the last part of all that is whole now, and the numbers of what may go on."""
        parts: dict[str, list[int]] = {}
        for number, name in names.items():
            if name not in self._ends:
                parts.setdefault(name, []).append(number)
        last = {sender_of(update): number for number, update in updates.items()}
        growing = {
            name: numbers
            for name, numbers in parts.items()
            if len(numbers) < MAX_PARTS
            and goes_on(updates[numbers[-1]])
            and last[sender_of(updates[numbers[-1]])] == numbers[-1]
            and self._seen.get(name) != len(numbers)
        }
        self._seen = {name: len(numbers) for name, numbers in growing.items()}
        whole = {name: numbers[-1] for name, numbers in parts.items() if name not in growing}
        return whole, {number for numbers in growing.values() for number in numbers}

    def _posts(self, updates: Mapping[int, Fields], names: Mapping[int, str]) -> Iterator[Post]:
        posts: dict[str | int, list[tuple[int, Fields]]] = {}
        for number, update in updates.items():
            name = names.get(number)
            together = name is not None and number <= self._ends.get(name, -1)
            posts.setdefault(name if name is not None and together else number, []).append((number, update))
        for parts in posts.values():
            yield Post([number for number, _ in parts], [update for _, update in parts])

    async def _write_down(self, ends: Mapping[str, int]) -> None:
        if ends:
            try:
                await self._bookmarks.keep(self._name, {name: str(number) for name, number in ends.items()})
            except StoreFull as exc:
                raise ChannelUnavailable(f"nothing can be accepted: {exc}") from exc
            self._end(ends)

    def _end(self, ends: Mapping[str, int]) -> None:
        self._ends.update(ends)
        while len(self._ends) > KEPT:
            self._ends.popitem(last=False)
