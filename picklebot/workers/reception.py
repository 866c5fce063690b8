"""From the door to the inbox: a command is obeyed, a message is accepted and announced.

Promises that what is announced is on disk. Knows no platform.
"""

import logging
from collections.abc import Callable

from picklebot.channels.base import Accepted, Channel, MenuChannel
from picklebot.core.bus import EventBus
from picklebot.errors import ChannelError
from picklebot.store.base import Arrival, Inbox
from picklebot.workers.orders import Orders

logger = logging.getLogger(__name__)


class Reception:
    """Takes arrivals in."""

    def __init__(self, *, bus: EventBus, inbox: Inbox, orders: Orders, room: Callable[[str], int]) -> None:
        """`room` says how many messages to an agent would be begun at once."""
        self._bus = bus
        self._inbox = inbox
        self._orders = orders
        self._room = room

    async def open(self) -> None:
        """Tell of the commands that a crash cut short."""
        await self._orders.tell_what_was_cut_short()

    async def show_menu(self, channel: Channel) -> None:
        """Let a channel list what can be typed, if it can."""
        if isinstance(channel, MenuChannel):
            try:
                await channel.show_commands(self._orders.menu())
            except ChannelError as exc:  # a menu is no reason to hear nobody
                logger.warning("%s does not show its menu: %s", channel.name, exc)

    def is_order(self, content: str) -> bool:
        """Return whether `content` is for us, and not for an agent."""
        return self._orders.parse(content) is not None

    async def take(self, arrival: Arrival, *, limit: int) -> Accepted:
        """Return once it is on disk; `limit` is how many messages of its session may wait."""
        if (command := self._orders.parse(arrival.content)) is not None:
            return await self._orders.obey(arrival, command)
        acceptance = await self._inbox.accept(arrival, limit=limit, room=self._room(arrival.agent_id))
        if not acceptance.duplicate:
            await self._bus.publish(acceptance.event)
        return Accepted(
            event_id=acceptance.event.id, session_id=acceptance.event.session_id, duplicate=acceptance.duplicate
        )
