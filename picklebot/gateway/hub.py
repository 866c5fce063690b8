"""Shows what happens to whoever watches: durable events from the log, in order, and notices as they come.

Promises that a durable event is shown to each viewer once and in the order of the log, however it came to watch, that
an event is encoded once for all of them, and that no viewer is waited for. While nobody watches it costs nothing. The
bus is only its doorbell: what is shown with a seq was read from the log. Knows no socket.
"""

import asyncio
import json
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from picklebot.core.bus import EventBus, Overflow, Subscription
from picklebot.core.events import Event, Notice, OutboundEvent, TurnFinished
from picklebot.gateway.wire import frame
from picklebot.shapes import event_json
from picklebot.store.base import Log

INBOX = 4096  #: events between two looks; the oldest go, and only notices are lost by that
PAGE = 200  #: events read from the log at once
KEPT_EVENTS, KEPT_BYTES = 1024, 4 << 20  #: what is kept of the last ones, for those who are just catching up


class Viewer(Protocol):
    """Somebody who watches. `seq`: everything up to it was shown, or is none of its business."""

    seq: int
    live: bool

    def wants(self, event: Event) -> bool:
        """Return whether an event is its business."""
        ...

    def push(self, ready: bytes) -> bool:
        """Take a frame at once; return whether it could."""
        ...


@dataclass(frozen=True, slots=True)
class Shown:
    """A durable event with its frame."""

    seq: int
    event: Event
    ready: bytes


class Hub:
    """One for all viewers."""

    def __init__(self, *, bus: EventBus, log: Log) -> None:
        self.closing = asyncio.Event()  #: set when the daemon stops: whoever waits for something ends
        self.dropped = 0  #: viewers who read too slowly, so far
        self._bus = bus
        self._log = log
        self._viewers: set[Viewer] = set()
        self._watches: dict[str, set[asyncio.Event]] = {}
        self._wanted = asyncio.Event()
        self._listening = asyncio.Event()
        self._inbox: Subscription[Event] | None = None
        self._seq = 0  # everything up to here was shown to those who are live
        self._floor = 0  # everything after this, up to `_seq`, is in `_kept`
        self._kept: deque[Shown] = deque()
        self._kept_ids: set[str] = set()
        self._kept_bytes = 0
        self._ahead: deque[tuple[int, Event]] = deque()  # read and not shown yet
        self._missed = 0

    async def run(self) -> None:
        """Show what happens until `close`, while anybody watches."""
        while not self.closing.is_set():
            await self._wanted.wait()
            if self.closing.is_set():
                return
            with self._bus.subscribe(Event, maxsize=INBOX, overflow=Overflow.DROP_OLDEST) as self._inbox:
                self._seq = self._floor = await self._log.last()  # after subscribing: what comes later rings
                self._listening.set()
                async for event in self._inbox:
                    await self._hear(event, self._inbox)
            self._forget()

    def close(self) -> None:
        """Let everybody who waits go."""
        self.closing.set()
        self._wanted.set()
        self._listening.set()
        for watch in [each for watches in self._watches.values() for each in watches]:
            watch.set()
        if self._inbox is not None:
            self._inbox.close()

    @property
    def viewers(self) -> int:
        """How many watch."""
        return len(self._viewers)

    @asynccontextmanager
    async def seat(self, viewer: Viewer, *, live: bool = True) -> AsyncGenerator[None, None]:
        """Let `viewer` watch from now on, for as long as the block lasts.

        With `live` False it is shown nothing before `catch_up` or `replay`, and then what came meanwhile too.
        """
        self._viewers.add(viewer)
        self._wanted.set()
        try:
            await self._listening.wait()
            viewer.seq, viewer.live = self._seq, live
            yield
        finally:
            viewer.live = False
            self._viewers.discard(viewer)
            self._rest()

    @asynccontextmanager
    async def watch(self, event_id: str) -> AsyncGenerator[asyncio.Event, None]:
        """Give a bell that rings whenever something was said or ended that concerns a message, and when we stop."""
        bell = asyncio.Event()
        self._watches.setdefault(event_id, set()).add(bell)
        self._wanted.set()
        try:
            await self._listening.wait()
            if self.closing.is_set():
                bell.set()
            yield bell
        finally:
            self._watches[event_id].discard(bell)
            if not self._watches[event_id]:
                del self._watches[event_id]
            self._rest()

    async def replay(
        self, viewer: Viewer, *, session: str | None, after: int, room: Callable[[], Awaitable[None]]
    ) -> None:
        """Show `viewer` again what is in the log after `after`, then what it missed meanwhile; then it is live.

        `room` is awaited between events, so that this one goes as slowly as its reader.
        """
        if viewer.live:  # it has seen everything up to here that was its business
            viewer.seq, viewer.live = max(viewer.seq, self._seq), False
        seq, until = after, viewer.seq
        while seq < until and (page := await self._log.after(seq, session_id=session, limit=PAGE)):
            for seq, event in page:
                if seq > until:
                    break
                if not viewer.push(encode(event, seq)):
                    return
                await room()
        # A number that the log has not come to yet is of another log: it hides nothing.
        viewer.seq = after if until < after <= await self._log.last() else until
        await self.catch_up(viewer, room=room)

    async def catch_up(self, viewer: Viewer, *, room: Callable[[], Awaitable[None]]) -> None:
        """Show `viewer` what came after its `seq`, until it is live."""
        while not self._join(viewer):
            for seq, event in await self._log.after(viewer.seq, limit=PAGE):
                if viewer.wants(event) and not viewer.push(encode(event, seq)):
                    return
                viewer.seq = seq
                await room()

    def _join(self, viewer: Viewer) -> bool:
        """Let a viewer be live, if what it lacks is at hand: between this look and the next event lies no await."""
        if viewer.seq < self._floor:
            return False
        for shown in self._kept:
            if shown.seq > viewer.seq and viewer.wants(shown.event):
                viewer.push(shown.ready)
        viewer.seq, viewer.live = max(viewer.seq, self._seq), True
        return True

    async def _hear(self, event: Event, inbox: Subscription[Event]) -> None:
        notice = isinstance(event, Notice)
        lost, self._missed = inbox.dropped != self._missed, inbox.dropped
        if lost:
            await self._show_up_to(None)
        elif not notice and event.id not in self._kept_ids:
            await self._show_up_to(event.id)
        if notice:
            self._show_notice(event)
        self._ring(event, everybody=lost)

    async def _show_up_to(self, event_id: str | None) -> None:
        """Show the log up to an event, and no further: the notices that belong before what follows are still to come.

        With None, or where it is not there, up to its end.
        """
        while True:
            while self._ahead:
                seq, event = self._ahead.popleft()
                self._show(Shown(seq, event, encode(event, seq)))
                if event.id == event_id:
                    return
            self._ahead.extend(await self._log.after(self._seq, limit=PAGE))
            if not self._ahead:
                return

    def _show(self, shown: Shown) -> None:
        self._seq = shown.seq
        self._kept.append(shown)
        self._kept_ids.add(shown.event.id)
        self._kept_bytes += len(shown.ready)
        while len(self._kept) > KEPT_EVENTS or self._kept_bytes > KEPT_BYTES:
            gone = self._kept.popleft()
            self._kept_ids.discard(gone.event.id)
            self._kept_bytes -= len(gone.ready)
            self._floor = gone.seq
        for viewer in self._viewers:
            if viewer.live and shown.seq > viewer.seq and viewer.wants(shown.event):
                viewer.push(shown.ready)

    def _show_notice(self, event: Event) -> None:
        ready = b""
        for viewer in self._viewers:
            if viewer.live and viewer.wants(event):
                ready = ready or encode(event)
                viewer.push(ready)

    def _ring(self, event: Event, *, everybody: bool) -> None:
        concerned = (event.cause_id or "", *event.also) if isinstance(event, OutboundEvent | TurnFinished) else ()
        for event_id in tuple(self._watches) if everybody else concerned:
            for bell in self._watches.get(event_id, ()):
                bell.set()

    def _rest(self) -> None:
        if not self._viewers and not self._watches and not self.closing.is_set():
            self._wanted.clear()
            self._listening.clear()  # at once, so that whoever comes now waits until we listen again
            if self._inbox is not None:
                self._inbox.close()

    def _forget(self) -> None:
        self._kept.clear()
        self._kept_ids.clear()
        self._ahead.clear()
        self._kept_bytes = self._missed = 0


def encode(event: Event, seq: int | None = None) -> bytes:
    """Return the frame that shows an event."""
    shown = {"type": "event", "event": event_json(event)} | ({} if seq is None else {"seq": seq})
    return frame(json.dumps(shown, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))
