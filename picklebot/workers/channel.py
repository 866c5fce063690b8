"""Brings messages from the channels into the inbox.

Promises that a platform hears "received" only after the commit, that one source's messages are accepted in the order
in which they came, and that a channel which fails is opened again without disturbing the others. Knows no turn.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from typing import Protocol

from picklebot.agent.routing import RoutingTable
from picklebot.channels.base import Accepted, Channel, Incoming
from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.text import MAX_CONTENT, clean
from picklebot.errors import ChannelError, ChannelUnavailable, NotFound, StoreFull
from picklebot.store.base import Arrival, Inbox
from picklebot.workers.mentions import mentioned
from picklebot.workers.orders import Orders

logger = logging.getLogger(__name__)

IN_HAND = 1024  #: messages of one channel between arrival and commit
FIRST_PAUSE, MAX_PAUSE = 1.0, 60.0  #: seconds before a failed channel is opened again; doubles


class Agents(Protocol):
    """Says which agents there are."""

    def get_agent(self, agent_id: str) -> object:
        """Return an agent.

        Raises:
            NotFound: with the nearest id.
        """
        ...


class ChannelWorker:
    """Listens to every channel, each in a task of its own."""

    name = "channels"

    def __init__(
        self,
        *,
        bus: EventBus,
        inbox: Inbox,
        channels: Mapping[str, Channel],
        door: "Door",
        orders: Orders,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._inbox = inbox
        self._channels = channels
        self._door = door
        self._orders = orders
        self._clock = clock
        self._stop = asyncio.Event()

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen until stopped; what has arrived by then is still accepted."""
        await self._orders.tell_what_was_cut_short()
        async with asyncio.TaskGroup() as group:
            listeners = [
                group.create_task(self._listen(channel, group), name=f"channel {channel.name}")
                for channel in self._channels.values()
            ]
            ready()
            await self._stop.wait()
            for listener in listeners:
                listener.cancel()

    def stop(self) -> None:
        """Stop listening."""
        self._stop.set()

    async def _listen(self, channel: Channel, receiving: asyncio.TaskGroup) -> None:
        pause = FIRST_PAUSE
        room = asyncio.Semaphore(IN_HAND)
        while True:
            try:
                async with channel.connect() as messages:
                    pause = FIRST_PAUSE
                    async for incoming in messages:
                        await room.acquire()
                        # Tasks start in the order they are made, and the first thing each does is to queue for
                        # the writer: so one source's messages are accepted in order. They belong to the worker and
                        # not to the connection, so that a hang-up takes none of them with it.
                        receiving.create_task(self._receive(incoming, room), name=f"message from {incoming.source}")
                return  # the platform has no more to say
            except ChannelUnavailable as exc:
                logger.warning("channel %s is away, trying again in %.0f s: %s", channel.name, pause, exc)
            await self._clock.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE)

    async def _receive(self, incoming: Incoming, room: asyncio.Semaphore) -> None:
        try:
            verdict = await self._accept(incoming)
        except (ChannelError, NotFound, StoreFull) as exc:
            logger.warning("a message from %s was not accepted: %s", incoming.source, exc)
            incoming.settle(exc)
        else:
            incoming.settle(verdict)
        finally:
            room.release()

    async def _accept(self, incoming: Incoming) -> Accepted:
        arrival = self._door.open(incoming, self._clock)
        if (command := self._orders.parse(arrival.content)) is not None:
            return await self._orders.obey(arrival, command)
        room = self._door.room(arrival.agent_id)
        acceptance = await self._inbox.accept(arrival, limit=self._door.queue_limit, room=room)
        if not acceptance.duplicate:
            await self._bus.publish(acceptance.event)
        return Accepted(
            event_id=acceptance.event.id, session_id=acceptance.event.session_id, duplicate=acceptance.duplicate
        )


class Door:
    """Turns what a platform brought into something that may be accepted, or says why not."""

    def __init__(
        self, *, routing: RoutingTable, agents: Agents, queue_limit: int, room: Callable[[str], int] = lambda _: 0
    ) -> None:
        self.queue_limit = queue_limit
        self.room = room  #: says how many messages to an agent would be begun at once
        self._routing = routing
        self._agents = agents

    def open(self, incoming: Incoming, clock: Clock) -> Arrival:
        """Return the arrival that `incoming` is.

        Raises:
            ChannelError: it is empty or too long.
            NotFound: it asks for an agent that does not exist.
        """
        content = clean(incoming.content)
        if not content.strip():
            raise ChannelError("the message is empty")
        if len(content) > MAX_CONTENT:
            raise ChannelError(f"the message has {len(content)} characters; {MAX_CONTENT} are allowed")
        if incoming.agent is not None:
            self._agents.get_agent(incoming.agent)
        asked_aside = None if incoming.agent or incoming.session else self._mentioned(content)
        return Arrival(
            source=incoming.source,
            content=content,
            key=clean(incoming.key),
            agent_id=incoming.agent or asked_aside or self._routing.resolve(incoming.source),
            pinned=incoming.agent is not None or asked_aside is not None,
            aside=asked_aside is not None,
            session_id=incoming.session,
            new_session=incoming.new_session,
            deliver=incoming.deliver,
            at=clock.now(),
        )

    def _mentioned(self, content: str) -> str | None:
        """Return the agent that a message begins with; a name that no agent has is text."""
        name = mentioned(content)
        if name is None:
            return None
        try:
            self._agents.get_agent(name)
        except NotFound:
            return None
        return name
