"""A daemon in this process, for one terminal.

Promises that a reply which was shown is acknowledged before the program ends. Knows no screen.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager

from picklebot.app import App, open_app
from picklebot.channels.base import Accepted
from picklebot.channels.terminal import TerminalChannel, Tray, whoami
from picklebot.cli.daemon import HEARD, INBOX
from picklebot.clock import SystemClock
from picklebot.config import Config
from picklebot.core.bus import Subscription
from picklebot.core.events import Event, OutboundEvent
from picklebot.core.talk import Bill, Delay, Place, Wish, Words
from picklebot.privacy import keep_to_itself
from picklebot.store.base import OutboxRow

GRACE = 3.0  #: seconds that each worker gets to end when somebody leaves
PAGE = 500


@asynccontextmanager
async def open_aboard(*, config: Config, role: str) -> AsyncGenerator["Aboard", None]:
    """Open a daemon in this process for as long as the block lasts.

    Raises:
        AlreadyRunning: another process holds the workspace.
        PicklebotError: it cannot be opened.
    """
    keep_to_itself()
    channel = TerminalChannel(whoami())
    async with open_app(config, channels=[channel], role=role) as app:
        yield Aboard(app, channel, since=await app.store.log.last())


class Aboard:
    """A `Daemon` that lives and ends with its terminal."""

    def __init__(self, app: App, channel: TerminalChannel, *, since: int) -> None:
        self._app = app
        self._channel = channel
        self._since = since

    @property
    def tray(self) -> Tray:
        """Replies for this terminal."""
        return self._channel.tray

    @property
    def notices(self) -> Sequence[str]:
        """What a person should read first."""
        return self._app.notices

    def tell_with(self, tell: Callable[[str], None]) -> None:
        """Do nothing: it is there for as long as this process is."""

    async def enter(self, wish: Wish) -> Place:
        """Go where `wish` says."""
        return await self._app.staff.desk.enter(self._channel.source, wish)

    async def place(self) -> Place:
        """Return where a message would go now."""
        return await self._app.staff.desk.place(self._channel.source)

    async def find(self, session_id: str) -> str:
        """Return the whole id of a session."""
        return await self._app.staff.desk.find(session_id)

    async def words(self) -> Words:
        """Return what can be typed."""
        return self._app.staff.desk.words()

    def hear(self) -> AbstractContextManager[Subscription[Event]]:
        """Hear what happens from now on."""
        return self._app.bus.subscribe(*HEARD, maxsize=INBOX)

    async def say(self, content: str, *, agent: str | None, session: str | None) -> Accepted:
        """Say something; return once it is on disk."""
        return await self._channel.say(content, agent=agent, session=session)

    def stop_turn(self, session_id: str) -> bool:
        """Stop what runs in a session."""
        return self._app.staff.taker.stop(session_id)

    async def delay(self, session_id: str) -> Delay | None:
        """Return until when a session waits, if it does."""
        return await self._app.staff.accounts.delay(session_id)

    async def bill(self, event_id: str, session_id: str) -> Bill:
        """Return what the turn of a message has used."""
        return await self._app.staff.accounts.bill(event_id, session_id)

    async def run(self, stop: asyncio.Event) -> None:
        """Run the workers until `stop` is set."""
        await self._app.run(stop, grace=GRACE)

    async def settle(self) -> None:
        """Acknowledge what was shown and not sent, because an older reply stood before it in the outbox."""
        left, seq = set(self._channel.tray.unsent), self._since
        while left and (page := await self._app.store.log.after(seq, limit=PAGE)):
            for seq, event in page:
                if isinstance(event, OutboundEvent) and event.id in left:
                    left.discard(event.id)
                    row = OutboxRow(seq=seq, event=event, attempts=0, since=event.created_at)
                    await self._app.store.outbox.ack(row, receipt="shown", at=SystemClock().now())
