"""Replies that are seen as they grow, on channels where that can be shown.

Promises that a reply which is shown as it grows is one message in the end, that what is shown is written down as soon
as it is there, so that this holds across a crash as well, and that nothing is shown late over what was delivered.
Slows no turn: it hears what is said, and drops what it has no time for. Knows no platform.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from picklebot.channels.base import LiveChannel
from picklebot.clock import Clock
from picklebot.core.bus import EventBus, Overflow
from picklebot.core.events import Notice, OutboundEvent, TextDelta, ToolStarted, TurnFinished, TurnStarted
from picklebot.core.source import Source
from picklebot.errors import ChannelError, ChannelUnavailable

logger = logging.getLogger(__name__)

HEARD = 4096  #: notices between two looks; the oldest go first
TYPING = 4.0  #: seconds between two signs that somebody is at work
LEAST = 24  #: characters: less is not worth a message that changes at once
AT_ONCE = 256  #: turns that are shown at the same time
GOES_ON = " …"


class Drafts(Protocol):
    """Remembers which message shows the beginning of a reply."""

    async def keep(self, cause_id: str, draft: str, *, at: datetime) -> None:
        """Write down that `draft` shows the beginning of the reply to an event."""
        ...

    async def of(self, cause_id: str) -> str | None:
        """Return what shows the beginning of the reply to an event, until that is acknowledged."""
        ...


@dataclass(slots=True)
class _Growing:
    """A reply that grows."""

    to: Source
    cause_id: str
    text: str = ""
    fresh: bool = False  #: a tool ran since: what comes next begins anew
    draft: str | None = None
    news: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    task: "asyncio.Task[None] | None" = None

    def end(self) -> None:
        self.ended.set()
        self.news.set()


class PreviewWorker:
    """Shows replies as they grow."""

    name = "previews"

    def __init__(self, *, bus: EventBus, drafts: Drafts, channels: Mapping[str, LiveChannel], clock: Clock) -> None:
        self._drafts = drafts
        self._channels = channels
        self._clock = clock
        self._growing: dict[str, _Growing] = {}
        kinds = (TurnStarted, TextDelta, ToolStarted, TurnFinished)
        self._notices = bus.subscribe(*kinds, maxsize=HEARD, overflow=Overflow.DROP_OLDEST)

    async def run(self, ready: Callable[[], None]) -> None:
        """Show until stopped."""
        async with asyncio.TaskGroup() as group:
            ready()
            async for notice in self._notices:
                self._hear(notice, group)
            for growing in self._growing.values():
                growing.end()

    def stop(self) -> None:
        """Show no more."""
        self._notices.close()

    async def take(self, event: OutboundEvent) -> str | None:
        """Return what shows the beginning of a reply already, once nothing more is shown of it."""
        cause_id = event.cause_id
        if cause_id is None or not event.takes_draft or event.to.channel not in self._channels:
            return None
        growing = self._growing.get(cause_id)
        if growing is not None and growing.task is not None:
            growing.end()
            await asyncio.wait([growing.task])
        return await self._drafts.of(cause_id)

    def _hear(self, notice: Notice, group: asyncio.TaskGroup) -> None:
        cause_id = notice.cause_id or ""
        growing = self._growing.get(cause_id)
        if isinstance(notice, TurnStarted):
            if growing is None and notice.source.channel in self._channels and len(self._growing) < AT_ONCE:
                growing = self._growing[cause_id] = _Growing(notice.source, cause_id)
                growing.task = group.create_task(self._show(growing), name=f"preview of {cause_id}")
                growing.task.add_done_callback(lambda _: self._growing.pop(cause_id, None))
        elif growing is None:
            return
        elif isinstance(notice, TextDelta):
            growing.text = notice.text if notice.restart or growing.fresh else growing.text + notice.text
            growing.fresh = False
            growing.news.set()
        elif isinstance(notice, ToolStarted):
            growing.fresh = True
        else:
            growing.end()

    async def _show(self, growing: _Growing) -> None:
        channel, shown = self._channels[growing.to.channel], ""
        try:
            while not growing.ended.is_set():
                growing.news.clear()
                text = growing.text.strip()
                if text != shown and len(text) >= LEAST:
                    await self._place(channel, growing, text)
                    shown = text
                else:
                    await channel.typing(growing.to)
                now = self._clock.now()
                await self._clock.wait(growing.ended, until=now + timedelta(seconds=channel.preview_pause))
                await self._clock.wait(growing.news, until=now + timedelta(seconds=TYPING))
        except ChannelUnavailable as exc:
            logger.info("a reply to %s is not shown as it grows: %s", growing.to, exc)
        except ChannelError as exc:
            logger.info("replies to %s cannot be shown as they grow: %s", growing.to, exc)

    async def _place(self, channel: LiveChannel, growing: _Growing, text: str) -> None:
        before = growing.draft or await self._drafts.of(growing.cause_id)
        growing.draft = await channel.preview(growing.to, text + GOES_ON, draft=before)
        if growing.draft != before:
            await self._drafts.keep(growing.cause_id, growing.draft, at=self._clock.now())
