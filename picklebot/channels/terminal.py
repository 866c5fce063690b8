"""The terminal as a channel: one person, one screen.

Promises that a reply counts as delivered only once whoever draws the screen says that it was shown; a reply that
nobody shows stays in the outbox for the next time. Knows no screen.
"""

import asyncio
import getpass
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from picklebot.channels.base import Accepted, Incoming
from picklebot.core.ids import new_id
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, PicklebotError

NAME = "cli"
HINT = "Replies are read in a terminal, where markdown is rendered."
MAX_NAME = 64  #: characters of a user's name
ROOM = 64  #: messages between the keyboard and the inbox


def whoami() -> str:
    """Return the name of the person at this terminal; "user" where the system does not know it."""
    try:
        name = getpass.getuser()
    except (ImportError, KeyError, OSError):
        name = ""
    return name.strip()[:MAX_NAME] or "user"


@dataclass(frozen=True, slots=True, eq=False)
class Reply:
    """A reply that waits to be shown."""

    key: str
    content: str
    seen: asyncio.Future[None]


class Tray:
    """Replies between their sender and the screen. One that was shown before it came is taken as shown."""

    def __init__(self) -> None:
        self._waiting: dict[str, Reply] = {}
        self._arrived = asyncio.Event()
        self._shown: set[str] = set()
        self._closed = False

    def offer(self, key: str, content: str) -> asyncio.Future[None]:
        """Take the reply called `key`; the future is done once the screen has shown it.

        It fails with `ChannelUnavailable` where the screen is closed before that.
        """
        seen: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if key in self._shown:
            self._shown.discard(key)
            seen.set_result(None)
        elif self._closed:
            seen.set_exception(ChannelUnavailable("the terminal is closed; the next `picklebot chat` shows this"))
        else:
            self._waiting[key] = Reply(key, content, seen)
            seen.add_done_callback(lambda _: self._waiting.pop(key, None))
            self._arrived.set()
        return seen

    def shown(self, key: str) -> None:
        """The person has seen the reply called `key`, whether or not it has come here yet."""
        waiting = self._waiting.get(key)
        if waiting is None:
            self._shown.add(key)
        elif not waiting.seen.done():
            waiting.seen.set_result(None)

    @property
    def unsent(self) -> frozenset[str]:
        """The keys of replies that were shown and have not come here."""
        return frozenset(self._shown)

    @property
    def waiting(self) -> list[Reply]:
        """Replies that have come and are not shown yet, in order."""
        return [reply for reply in self._waiting.values() if not reply.seen.done()]

    async def unseen(self) -> None:
        """Wait until there is a reply to be shown."""
        while not self.waiting:
            self._arrived.clear()
            await self._arrived.wait()

    def close(self) -> None:
        """Show no more: what still waits is left to the next terminal."""
        self._closed = True
        for reply in self._waiting.values():
            if not reply.seen.done():
                reply.seen.set_exception(ChannelUnavailable("the terminal was closed before this was shown"))


class TerminalChannel:
    """A `Channel` whose platform is the screen of `user`."""

    name = NAME
    keyed = False
    max_length = None
    hint = HINT

    def __init__(self, user: str) -> None:
        self.source = Source(self.name, (user,))
        self._incoming: asyncio.Queue[Incoming] = asyncio.Queue(ROOM)
        self.tray = Tray()

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Yield what is said here."""
        yield self._messages()

    async def _messages(self) -> AsyncIterator[Incoming]:
        while True:
            yield await self._incoming.get()

    async def say(
        self, content: str, *, agent: str | None = None, session: str | None = None, new_session: bool = False
    ) -> Accepted:
        """Say something; return once it is on disk.

        Raises:
            PicklebotError: the error for which it was refused.
        """
        verdict: asyncio.Future[Accepted | PicklebotError] = asyncio.get_running_loop().create_future()

        def settle(settled: Accepted | PicklebotError) -> None:
            if not verdict.done():  # whoever said it may have left
                verdict.set_result(settled)

        await self._incoming.put(
            Incoming(
                source=self.source,
                content=content,
                key=new_id(),
                agent=agent,
                session=session,
                new_session=new_session,
                settle=settle,
            )
        )
        settled = await verdict
        if isinstance(settled, PicklebotError):
            raise settled
        return settled

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Wait until the screen has shown the reply.

        Raises:
            ChannelUnavailable: it is for somebody else, or the screen is closed.
        """
        if to != self.source:
            raise ChannelUnavailable(f"{str(to)!r} has no terminal open here, only {str(self.source)!r} has")
        await self.tray.offer(key, content)
        return ""
