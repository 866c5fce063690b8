"""Discord's channel without a daemon behind it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

from picklebot.channels.base import Accepted, Incoming
from picklebot.channels.discord import create
from picklebot.channels.reading import Nowhere
from picklebot.errors import PicklebotError
from tests.channels.discord_platform import DiscordPlatform
from tests.channels.discord_shapes import TOKEN

DONE = Accepted(event_id="e", session_id="s")


class Listener:
    """A channel without a daemon: what it brings is settled as the test says."""

    def __init__(self, platform: DiscordPlatform) -> None:
        self.platform = platform
        self.bookmarks = Nowhere()
        self.verdict: Accepted | PicklebotError = DONE
        self.channel = create(name="discord", token=TOKEN, base_url=platform.url)
        self.channel.remember_in(self.bookmarks)
        self._open = AsyncExitStack()
        self.last: Incoming
        self._messages: AsyncIterator[Incoming]

    async def __aenter__(self) -> "Listener":
        self._messages = await self._open.enter_async_context(self.channel.connect())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._open.aclose()
        await self.channel.aclose()

    async def next(self, number: int = 1) -> list[str]:
        """Return what the next messages say."""
        heard = list[str]()
        for _ in range(number):
            self.last = await anext(self._messages)
            self.last.settle(self.verdict)
            heard.append(self.last.content)
        return heard
