"""Carries replies from the outbox to their channels.

The outbox table is the queue: an `OutboundEvent` only says "look again", so a missed one costs a delay, and a crash
costs a second attempt with the same key. Promises one lane a channel and one message in flight a peer, in order.
Knows no turn.
"""

import asyncio
import logging
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from picklebot.channels.base import Channel
from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.events import DeliveryFailed, OutboundEvent
from picklebot.errors import ChannelUnavailable, DeliveryRejected
from picklebot.store.base import Outbox, OutboxRow
from picklebot.workers.packing import Packing

logger = logging.getLogger(__name__)

DOORBELLS = 4096  #: rings between two looks of this worker; a publisher waits when there are more
IN_FLIGHT = 32  #: peers of one channel served at once
SEND_SECONDS = 60.0  #: for one attempt; a platform that hangs is a platform that is away


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """Seconds: how long to try, the first pause, and the longest one. Pauses double, with full jitter."""

    retry_for: float = 86_400.0
    first_delay: float = 1.0
    max_delay: float = 600.0
    jitter: Callable[[float], float] = lambda most: random.uniform(most / 2, most)  # noqa: S311

    def pause(self, attempts: int, asked: float | None) -> timedelta:
        """Return how long to wait after the `attempts`-th attempt; `asked` is what the platform said."""
        most = min(self.max_delay, self.first_delay * 2.0 ** min(attempts - 1, 32))
        return timedelta(seconds=max(self.jitter(most), min(asked or 0.0, self.max_delay)))


class DeliveryWorker:
    """One lane a channel, so that a dead channel delays only itself."""

    name = "delivery"

    def __init__(
        self,
        *,
        bus: EventBus,
        outbox: Outbox,
        channels: Mapping[str, Channel],
        clock: Clock,
        policy: RetryPolicy,
        packing: Packing | None = None,
    ) -> None:
        self._bus = bus
        self._outbox = outbox
        self._channels = channels
        self._clock = clock
        self._policy = policy
        self._packing = packing or Packing()
        self._inbox = bus.subscribe(OutboundEvent, maxsize=DOORBELLS)
        self._lanes = {name: _Lane() for name in channels}
        self._draining = False

    async def run(self, ready: Callable[[], None]) -> None:
        """Deliver until stopped; then make one last pass."""
        async with asyncio.TaskGroup() as lanes:
            for channel in self._channels.values():
                lanes.create_task(self._lane(channel), name=f"delivery to {channel.name}")
            ready()
            async for event in self._inbox:
                # A reply for a channel that does not run here waits in the outbox for one that does.
                if lane := self._lanes.get(event.to.channel):
                    if (row := self._outbox.claimed(event.id)) is not None:
                        lane.free()
                        self._send_off(self._channels[event.to.channel], row)
                    else:
                        lane.ring(str(event.to))
            self._draining = True
            for lane in self._lanes.values():
                lane.bell.set()

    def stop(self) -> None:
        """Deliver what is due and come to an end."""
        self._outbox.close()
        self._inbox.close()

    async def _lane(self, channel: Channel) -> None:
        lane = self._lanes[channel.name]
        async with asyncio.TaskGroup() as lane.flights:
            self._outbox.open(channel.name, lane)
            while True:
                room = lane.look(draining := self._draining)
                now = self._clock.now()
                rows = await self._outbox.claim(channel.name, now, limit=room) if room else []
                for row in rows:
                    self._send_off(channel, row)
                if draining and not lane.flying:
                    return
                lane.short = len(rows) == room
                if lane.ahead or (lane.until is not None and lane.until <= now):
                    lane.ahead = False
                    lane.until = await self._outbox.next_due(channel.name)
                await self._clock.wait(lane.bell, until=None if lane.short else lane.until)

    def _send_off(self, channel: Channel, row: OutboxRow) -> None:
        lane, peer = self._lanes[channel.name], str(row.event.to)
        task = lane.flights.create_task(self._attempt(channel, row), name=f"delivery to {peer}")
        lane.take_off(peer, more=row.more)
        task.add_done_callback(partial(lane.land, peer))

    async def _attempt(self, channel: Channel, row: OutboxRow) -> None:
        event = row.event
        try:
            async with asyncio.timeout(SEND_SECONDS):
                receipt = await self._packing.send(channel, event, again=row.attempts > 1)
        except DeliveryRejected as exc:
            await self._give_up(row, str(exc))
        except ChannelUnavailable as exc:
            await self._retry_later(row, str(exc), exc.retry_after, unknown=exc.unknown and not channel.keyed)
        except TimeoutError:
            await self._retry_later(row, f"no answer within {SEND_SECONDS:.0f} s", None, unknown=not channel.keyed)
        except Exception as exc:  # a broken channel must not stop the others
            logger.exception("channel %s crashed", channel.name, extra={"event": event.id})
            await self._retry_later(row, f"{type(exc).__name__}: {exc}", None, unknown=not channel.keyed)
        else:
            await self._outbox.ack(row, receipt=receipt, at=self._clock.now())

    async def _retry_later(self, row: OutboxRow, error: str, asked: float | None, *, unknown: bool) -> None:
        now = self._clock.now()
        if (now - row.since).total_seconds() >= self._policy.retry_for:
            await self._give_up(row, error)
            return
        pause = self._policy.pause(row.attempts, asked)
        logger.info("delivery to %s delayed by %s: %s", row.event.to, pause, error, extra={"event": row.event.id})
        if unknown:
            logger.warning("a reply to %s may be there twice: %s", row.event.to, error, extra={"event": row.event.id})
        await self._outbox.reschedule(row, not_before=now + pause, error=error, unknown=unknown)
        self._lanes[row.event.to.channel].look_ahead()

    async def _give_up(self, row: OutboxRow, error: str) -> None:
        event = row.event
        logger.error("delivery to %s abandoned: %s", event.to, error, extra={"event": event.id})
        await self._outbox.bury(row, error=error, at=self._clock.now())
        await self._bus.publish(
            DeliveryFailed(
                session_id=event.session_id, source=event.source, cause_id=event.cause_id, to=event.to, error=error
            )
        )


class _Lane:
    """What a channel's lane knows without a look at the table, so that it looks only where there is something new."""

    def __init__(self) -> None:
        self.bell = asyncio.Event()
        self.flights = asyncio.TaskGroup()
        self.flying: set[str] = set()
        self.until: datetime | None = None  #: when the next reply that was put off is due
        self.ahead = True  #: `until` is out of date: the last run may have left some, or one was put off since
        self.short = False  #: the last look left no room for all that may leave
        self._behind: set[str] = set()  # peers that may have more behind what is on its way to them
        self._draining = False
        self._booked = 0  # places for replies whose turn is just being ended

    def book(self) -> bool:
        """Take a place for a reply that leaves as soon as it is written; there is none before those that wait."""
        if self.short or len(self.flying) + self._booked >= IN_FLIGHT:
            return False
        self._booked += 1
        return True

    def free(self) -> None:
        """Give a place back that was taken so."""
        self._booked -= 1

    def look(self, draining: bool) -> int:
        """Begin a look at the table; return for how many peers there is room."""
        self.bell.clear()  # before looking: a ring while we look means look again
        self._draining = draining
        self._behind &= self.flying
        return max(IN_FLIGHT - len(self.flying) - self._booked, 0)

    def ring(self, peer: str) -> None:
        """There is a reply for `peer`. Behind one that is on its way it waits until that has landed."""
        self._behind.add(peer)
        if peer not in self.flying:
            self.bell.set()

    def take_off(self, peer: str, *, more: bool) -> None:
        """A reply is on its way; `more` wait behind it."""
        self.flying.add(peer)
        if more:
            self._behind.add(peer)

    def land(self, peer: str, task: asyncio.Task[None]) -> None:
        """An attempt has ended."""
        self.flying.discard(peer)
        if self.short or self._draining or peer in self._behind:
            self.bell.set()

    def look_ahead(self) -> None:
        """A reply was put off."""
        self.ahead = True
        self.bell.set()
