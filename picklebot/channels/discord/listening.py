"""What people say on Discord, in order, what they said in our absence first.

Promises that of each place everything is handed on in the order in which it was said, that what finds no room in
memory is asked for again, and that a message which could not be written down is. Knows no reply.
"""

import asyncio
import logging
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from typing import Any

import discord

from picklebot.channels.base import Accepted, Incoming
from picklebot.channels.discord.client import Client, readable, translated
from picklebot.channels.discord.pieces import attached
from picklebot.channels.discord.rooms import Rooms
from picklebot.channels.discord.updates import Said, is_private, pressed, read
from picklebot.channels.notices import Notices
from picklebot.channels.reading import Reading
from picklebot.core.source import Source
from picklebot.errors import (
    ChannelError,
    ChannelUnavailable,
    DeliveryRejected,
    PicklebotError,
    StoreFull,
    Unknown,
)

logger = logging.getLogger(__name__)

GREETS = 60.0  #: seconds until Discord has greeted us, or is away
ROOM = 1_000  #: messages in memory between the gateway and the inbox; further ones are asked for again
PLACES = 1_000  #: places at once of which something has to be asked for


@dataclass(frozen=True, slots=True)
class _Heard:
    """A message of a place; `said` is None where it was not for us, `place` where nobody can ask for it again."""

    place: str | None
    number: int
    said: Said | None


class Listening:
    """What one bot hears. A place is a room, or a person and the room in which only they are."""

    def __init__(self, name: str, reading: Reading, rooms: Rooms) -> None:
        self._name = name
        self._reading = reading
        self._rooms = rooms
        self._client: Client | None = None
        self._waiting: deque[_Heard] = deque()
        self._behind: dict[str, int] = {}  # places, and after which message it has to be asked what was said there
        self._news = asyncio.Event()
        self._greeted = False
        self._end: ChannelUnavailable | None = None
        self._notices = Notices()

    def begin(self) -> None:
        """Forget the connection before."""
        self._client, self._greeted, self._end = None, False, None

    def hear(self, event: str, given: Any) -> None:
        """Take note of what happens."""
        match event, given:
            case "connect", Client():
                self._client, self._greeted = given, True
                self._news.set()
            case "gone", ChannelUnavailable():
                self._end = self._end or given
                self._news.set()
            case "message", discord.Message():
                private = is_private(given)
                place = f"{given.author.id if private else ''}:{given.channel.id}"
                self._note(_Heard(place, given.id, read(given, self._me, private=private)))
            case "interaction", _:
                press: discord.Interaction = given
                if (said := pressed(press)) is not None and self._client is not None and len(self._waiting) < ROOM:
                    self._client.aside(_take_note(press, said))
                    self._note(_Heard(None, said.id, said))
            case _:
                pass

    @property
    def _me(self) -> int:
        return self._client.user.id if self._client is not None and self._client.user is not None else 0

    def _note(self, heard: _Heard) -> None:
        place = heard.place
        if place is not None and heard.said is None and not self._reading.knows(place):
            return
        # after a greeting, until it is known how far each place was read, what came is not to overtake what was missed
        if place is None or (place not in self._behind and not self._greeted and len(self._waiting) < ROOM):
            self._waiting.append(heard)
        elif place in self._behind or self._reading.knows(place) or len(self._behind) < PLACES:
            self._behind.setdefault(place, heard.number - 1)
        else:
            logger.warning("%s: a message is lost: more came at once, from more places, than can be held", self._name)
        self._news.set()

    async def messages(self) -> AsyncGenerator[Incoming, None]:
        """Yield what people say, from the first greeting to the end of the connection.

        Raises:
            ChannelUnavailable: it came to an end, and so did what was heard until then.
        """
        while True:
            if self._greeted:
                self._greeted = False
                marks = await self._reading.begin()
                self._behind.update((place, int(mark)) for place, mark in marks.items())
            elif self._behind and self._end is None:
                for _ in range(len(self._waiting)):  # what was heard at those places before they fell behind
                    if (found := self._incoming(self._waiting.popleft())) is not None:
                        yield found
                async with aclosing(self._missed(next(iter(self._behind)))) as missed:
                    async for incoming in missed:
                        yield incoming
            elif self._waiting:
                if (found := self._incoming(self._waiting.popleft())) is not None:
                    yield found
            elif self._end is not None:
                raise self._end
            else:
                self._news.clear()
                await self._news.wait()

    async def greeted(self) -> None:
        """Wait for the first greeting.

        Raises:
            ChannelUnavailable: there is none.
        """
        with suppress(TimeoutError):
            async with asyncio.timeout(GREETS):
                while not self._greeted and self._end is None:
                    self._news.clear()
                    await self._news.wait()
        if self._end is not None:
            raise self._end
        if not self._greeted:
            raise ChannelUnavailable(f"Discord has not greeted the bot within {GREETS:.0f} s")

    async def _missed(self, place: str) -> AsyncGenerator[Incoming, None]:
        """Yield what was said at a place that we are behind at."""
        after = self._behind.pop(place)  # before the first page: what is said from now on waits behind the last one
        person, _, room = place.rpartition(":")
        assert self._client is not None
        history = aiter(
            self._client.get_partial_messageable(int(room)).history(limit=None, after=discord.Object(after))
        )
        try:
            while True:
                with translated(), readable():
                    message = await anext(history, None)
                if message is None:
                    return
                if self._end is not None:
                    break
                said = read(message, self._me, private=bool(person))
                if (found := self._incoming(_Heard(place, message.id, said))) is not None:
                    yield found
        except DeliveryRejected as exc:  # the bot was thrown out of there
            logger.warning("%s: what was said in %s meanwhile cannot be read: %s", self._name, room, exc)
            return
        except ChannelUnavailable as exc:
            self._end = self._end or exc
        self._behind[place] = after

    def _incoming(self, heard: _Heard) -> Incoming | None:
        place, said = heard.place, heard.said
        if said is None:
            if place is not None:
                self._reading.passed(place, heard.number, str(heard.number))
            return None
        if place is not None:
            self._reading.arrived(place, said.id, str(said.id))
        if said.private and place is not None:
            self._rooms.learn(said.person, said.room)

        def settle(verdict: Accepted | PicklebotError) -> None:
            if isinstance(verdict, StoreFull) and place is not None:
                self._behind[place] = min(self._behind.get(place, said.id), said.id - 1)
                self.hear("gone", ChannelUnavailable(f"nothing can be accepted: {verdict}"))
                return
            if place is not None:
                self._reading.settled(place, said.id, accepted=isinstance(verdict, Accepted))
            self._answer(said, verdict)

        return Incoming(
            source=Source(self._name, (said.person, said.place)),
            content=said.content,
            key=f"{said.room}:{said.id}",
            settle=settle,
            sender=said.sender,
            private=said.private,
            outside=said.outside,
            files=[attached(file) for file in said.files],
        )

    def _answer(self, said: Said, verdict: Accepted | PicklebotError) -> None:
        """Take the buttons away that were pressed; say once, until one is taken again, why a message was not."""
        if self._client is None:
            return
        room = self._client.get_partial_messageable(said.room)
        if isinstance(verdict, Accepted):
            self._notices.taken(str(said.room))
            if said.pressed is not None:
                self._client.aside(_without_buttons(room, said.pressed))
        elif not isinstance(verdict, Unknown) and self._notices.is_first(str(said.room)):
            self._client.aside(_say(room, f"I could not take that: {verdict}."))


async def _take_note(press: discord.Interaction, said: Said) -> None:
    with suppress(ChannelError), translated(), readable():  # else it would say after 3 seconds that nobody is there
        if said.pressed is None:
            await press.response.send_message(f"`{said.content}`", ephemeral=True)
        else:
            await press.response.defer()


async def _without_buttons(room: discord.PartialMessageable, message: int) -> None:
    with suppress(ChannelError), translated():
        await room.get_partial_message(message).edit(view=None)


async def _say(room: discord.PartialMessageable, words: str) -> None:
    with suppress(ChannelError), translated():
        await room.send(words)
