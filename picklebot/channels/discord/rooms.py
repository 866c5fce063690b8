"""Where on Discord a source is: a channel, or for a person alone the one that Discord made for them and the bot."""

from collections import OrderedDict

import discord

from picklebot.core.source import Source
from picklebot.errors import DeliveryRejected

KEPT = 1_000  #: people whose own channel is remembered


class Rooms:
    """Knows the channels of people alone, and asks for those it does not know."""

    def __init__(self) -> None:
        self._alone: OrderedDict[str, int] = OrderedDict()

    def learn(self, person: str, room: int) -> None:
        """A person spoke to the bot alone."""
        self._alone[person] = room
        self._alone.move_to_end(person)
        if len(self._alone) > KEPT:
            self._alone.popitem(last=False)

    async def of(self, to: Source, client: discord.Client) -> discord.PartialMessageable:
        """Return the channel of a source; one that names a person twice is for them alone.

        Raises:
            DeliveryRejected: it names nobody.
        """
        person, place = (*to.parts, "", "")[:2]
        if not (person.isdecimal() and place.isdecimal()):
            raise DeliveryRejected(f"{to} names nobody on Discord: it looks like discord:PERSON:CHANNEL")
        if person != place:
            return client.get_partial_messageable(int(place))
        room = self._alone.get(person)
        if room is None:
            room = (await client.create_dm(discord.Object(int(person)))).id
            self.learn(person, room)
        return client.get_partial_messageable(room)
