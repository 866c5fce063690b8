"""Updates as Telegram hands them over: each once, and the parts of an album together.

Telegram tells of every picture of an album by itself, and not which is the last one. An album is whole when another
look brings no further part, or its sender has gone on; until then the offset stays before it, so that a kill loses
nothing. How far it went is written down before it is handed over: after a kill it is the same message again, and a part
that came later is one of its own. Knows no message.
"""

from collections import OrderedDict
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from picklebot.channels.base import Bookmarks
from picklebot.channels.telegram.api import SECONDS, BotApi
from picklebot.channels.telegram.contents import Fields
from picklebot.channels.telegram.updates import KINDS
from picklebot.clock import Clock
from picklebot.errors import ChannelUnavailable, StoreFull

BATCH = 100  #: updates of one answer: what is in memory at once
MAX_ALBUM = 10  #: parts
PAUSE = 0.5  #: seconds between two looks at an album
KEPT = 500  #: albums whose end is known


@dataclass(frozen=True, slots=True)
class Post:
    """What a person did at once: an update, or those of an album, in order. `number` is that of the first."""

    number: int
    updates: Sequence[Fields]


class Polling:
    """The updates of one bot."""

    def __init__(self, name: str, api: BotApi, *, seconds: int, clock: Clock, bookmarks: Bookmarks) -> None:
        self._name = name
        self._api = api
        self._seconds = seconds
        self._clock = clock
        self._bookmarks = bookmarks
        self._ends: OrderedDict[str, int] = OrderedDict()  # album -> the last part of it that was handed over as one
        self._seen: Mapping[str, int] = {}  # albums that may go on -> parts, at the last look

    async def looks(self) -> AsyncGenerator[Sequence[Post], None]:
        """Yield what there is to accept; whoever asks for more has accepted or refused all of it.

        Raises:
            ChannelUnavailable: Telegram, or the store, is away.
        """
        self._end({place: int(mark) for place, mark in (await self._bookmarks.of(self._name)).items()})
        offset: int | None = None
        taken: set[int] = set()  # numbers from the offset on that were handed over
        while True:
            updates = await self._ask(offset)
            albums = self._albums({number: each for number, each in updates.items() if number not in taken})
            growing = {number for place in self._seen for number in albums[place]}
            await self._write_down({place: numbers[-1] for place, numbers in albums.items() if place not in self._seen})
            hidden = taken | growing
            yield [*self._posts({number: each for number, each in updates.items() if number not in hidden})]
            if growing:
                offset = min(growing)
                taken = {number for number in updates if number > offset} - growing
                await self._clock.sleep(PAUSE)
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

    def _albums(self, updates: Mapping[int, Fields]) -> dict[str, list[int]]:
        """Return the numbers of each album whose end is not known, and note which of them may go on."""
        albums: dict[str, list[int]] = {}
        last: dict[object, int] = {}  # the latest of each person in each chat
        for number, update in updates.items():
            last[_sender(update)] = number
            if (place := _album(update)) is not None and place not in self._ends:
                albums.setdefault(place, []).append(number)
        self._seen = {
            place: len(numbers)
            for place, numbers in albums.items()
            if len(numbers) < MAX_ALBUM
            and last[_sender(updates[numbers[-1]])] == numbers[-1]
            and self._seen.get(place) != len(numbers)
        }
        return albums

    def _posts(self, updates: Mapping[int, Fields]) -> Iterator[Post]:
        posts: dict[str | int, list[tuple[int, Fields]]] = {}
        for number, update in updates.items():
            place = _album(update)
            together = place is not None and number <= self._ends.get(place, -1)
            posts.setdefault(place if place is not None and together else number, []).append((number, update))
        for parts in posts.values():
            yield Post(parts[0][0], [update for _, update in parts])

    async def _write_down(self, ends: Mapping[str, int]) -> None:
        if ends:
            try:
                await self._bookmarks.keep(self._name, {place: str(number) for place, number in ends.items()})
            except StoreFull as exc:
                raise ChannelUnavailable(f"nothing can be accepted: {exc}") from exc
            self._end(ends)

    def _end(self, ends: Mapping[str, int]) -> None:
        self._ends.update(ends)
        while len(self._ends) > KEPT:
            self._ends.popitem(last=False)


def _sender(update: Fields) -> object:
    match update:
        case {"message": {"chat": {"id": int(chat)}, "from": {"id": int(person)}}}:
            return chat, person
        case _:
            return None


def _album(update: Fields) -> str | None:
    """Return what the album of a message is called; None where it is of none."""
    match update:
        case {"message": {"media_group_id": str(name), "chat": {"id": int(chat)}}}:
            return f"album {name} in {chat}"
        case _:
            return None
