"""Brings messages from the channels into the inbox.

Promises that a platform hears "received" only after the commit, that one source's messages are accepted, and its orders
obeyed, in the order in which they came, and that a channel which fails is opened again without disturbing the others.
Knows no turn.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial
from typing import Protocol

from picklebot.channels.base import Accepted, Channel, Incoming
from picklebot.clock import Clock
from picklebot.core.people import Role
from picklebot.core.source import Source
from picklebot.errors import ChannelError, ChannelUnavailable, NotFound, StoreFull, Unknown
from picklebot.workers.door import Door
from picklebot.workers.reception import Reception

logger = logging.getLogger(__name__)

IN_HAND = 1024  #: messages of one channel between arrival and commit
FIRST_PAUSE, MAX_PAUSE = 1.0, 60.0  #: seconds before a failed channel is opened again; doubles


class Troubles(Protocol):
    """Remembers what keeps a channel away, for whoever asks why nobody answers."""

    async def note(self, channel: str, words: str, *, at: datetime) -> None:
        """Write down why a channel is away."""
        ...

    async def clear(self, channel: str) -> None:
        """A channel works."""
        ...


class ChannelWorker:
    """Listens to every channel, each in a task of its own."""

    name = "channels"

    def __init__(
        self, *, channels: Mapping[str, Channel], door: Door, reception: Reception, troubles: Troubles, clock: Clock
    ) -> None:
        self._channels = channels
        self._door = door
        self._reception = reception
        self._troubles = troubles
        self._clock = clock
        self._stop = asyncio.Event()
        # The last message of a source that those after it wait for: its files are on their way, or it is an order.
        self._slow: dict[Source, asyncio.Task[None]] = {}

    async def run(self, ready: Callable[[], None]) -> None:
        """Listen until stopped; what has arrived by then is still accepted."""
        await self._reception.open()
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
        pause, room, away = FIRST_PAUSE, asyncio.Semaphore(IN_HAND), True
        while True:
            try:
                async with channel.connect() as messages:
                    pause = FIRST_PAUSE
                    await self._reception.show_menu(channel)
                    if away:
                        await self._troubles.clear(channel.name)
                        away = False
                    async for incoming in messages:
                        await room.acquire()
                        await self._usher(channel, incoming, room, receiving)
                return  # the platform has no more to say
            except ChannelUnavailable as exc:
                logger.warning("channel %s is away, trying again in %.0f s: %s", channel.name, pause, exc)
                await self._troubles.note(channel.name, str(exc), at=self._clock.now())
                away = True
            await self._clock.sleep(pause)
            pause = min(pause * 2, MAX_PAUSE)

    async def _usher(
        self, channel: Channel, incoming: Incoming, room: asyncio.Semaphore, receiving: asyncio.TaskGroup
    ) -> None:
        """Let a message in, or turn it away. Whoever holds `room` gives it back."""
        source = incoming.source
        try:
            role = await self._door.admit(incoming)  # here, and not in the task: one after the other keeps the order
        except Unknown as exc:
            incoming.settle(exc)
            task = receiving.create_task(self._door.greet(channel, incoming), name=f"a stranger on {channel.name}")
        except (ChannelError, StoreFull) as exc:
            room.release()
            _refuse(incoming, exc)
            return
        else:
            # Tasks start in the order they are made, and the first thing each does is to queue for the writer: so
            # one source's messages are accepted in order. They belong to the worker and not to the connection, so
            # that a hang-up takes none of them with it.
            before = self._slow.get(source)
            task = receiving.create_task(self._receive(incoming, role, before), name=f"message from {source}")
            # An order is for what came before it: /stop must not meet the next message, nor that the session before /new.
            if incoming.files or before is not None or self._reception.is_order(incoming.content):
                self._slow[source] = task
                task.add_done_callback(partial(self._caught_up, source))
        task.add_done_callback(lambda _: room.release())

    def _caught_up(self, source: Source, task: asyncio.Task[None]) -> None:
        if self._slow.get(source) is task:
            del self._slow[source]

    async def _receive(self, incoming: Incoming, role: Role | None, before: "asyncio.Task[None] | None") -> None:
        try:
            if incoming.files:
                incoming = await self._door.carry_in(incoming, self._clock)
            if before is not None:
                await asyncio.wait([before])
            verdict: Accepted = await self._reception.take(
                self._door.open(incoming, self._clock, role=role), limit=self._door.queue_limit(role)
            )
        except (ChannelError, NotFound, StoreFull) as exc:
            _refuse(incoming, exc)
        else:
            incoming.settle(verdict)


def _refuse(incoming: Incoming, error: ChannelError | NotFound | StoreFull) -> None:
    logger.warning("a message from %s was not accepted: %s", incoming.source, error)
    incoming.settle(error)
