"""Discord as a channel: the gateway in, messages out.

Promises that a message whose sending broke off is sent again under the same nonce, which Discord drops for some
minutes if it has it. Knows no session and no agent.
"""

import asyncio
import io
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import discord

from picklebot.channels.base import Bookmarks, Incoming, Letter
from picklebot.channels.discord.client import Client, Gone, connected, translated
from picklebot.channels.discord.listening import Listening
from picklebot.channels.discord.pieces import buttons, menu, nonce_of
from picklebot.channels.discord.rooms import Rooms
from picklebot.channels.progress import Progress
from picklebot.channels.reading import Reading
from picklebot.channels.split import pieces
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable

logger = logging.getLogger(__name__)

CONNECTS = 10.0  #: seconds that a reply waits for the first connection
LIMIT = 2000  #: UTF-16 code units of one message


class DiscordChannel:
    """A `Channel` whose platform is one bot."""

    keyed = False  # for some minutes only: after a long outage a message may be there twice
    max_length = LIMIT - 48  # characters; those that count twice are few, and `pieces` sees to the rest
    hint = (
        "Replies are read in Discord: short paragraphs, no tables, no images. "
        "Headings, bold, italics, links, lists and code blocks are shown."
    )
    preview_pause = 1.5  #: seconds between two looks at a growing reply

    def __init__(self, name: str, token: str) -> None:
        self.name = name
        self._token = token
        self._reading = Reading(name)
        self._rooms = Rooms()
        self._listening = Listening(name, self._reading, self._rooms)
        self._client: Client | None = None  # through which is spoken: the last one that was greeted
        self._tried = asyncio.Event()  # whether it has come to that, or not, for the first time
        self._progress = Progress()
        self._menu: list[dict[str, Any]] = []

    def remember_in(self, bookmarks: Bookmarks) -> None:
        """Keep how far each place was read."""
        self._reading = Reading(self.name, bookmarks)
        self._listening = Listening(self.name, self._reading, self._rooms)

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Log in, and yield what people said and say to the bot."""
        self._listening.begin()
        client = Client(self._listening.hear)
        try:
            async with connected(client, self._token, self._reading.follow):
                await self._listening.greeted()
                logger.info("%s: listening as %s", self.name, client.user)
                before, self._client = self._client, client
                self._tried.set()
                if before is not None:
                    await before.close()
                async with aclosing(self._listening.messages()) as messages:
                    yield messages
        finally:
            self._tried.set()
            if self._client is not client:
                await client.close()
            await self._reading.write()

    async def aclose(self) -> None:
        """Close every connection."""
        client, self._client = self._client, None
        if client is not None:
            await client.close()

    async def show_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Put commands into the menu that opens when somebody types a slash."""
        client = self._client
        if client is None or client.application_id is None or (listed := menu(commands)) == self._menu:
            return
        with translated():
            await client.http.bulk_upsert_global_commands(client.application_id, listed)
        self._menu = listed

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Send a message, in pieces where it is too long for one; return the id of the last."""
        return await self.deliver(to, Letter(content=content, key=key))

    async def deliver(self, to: Source, letter: Letter) -> str:
        """Send a message with all that goes with it; a draft becomes its first piece."""
        texts = pieces(letter.content, LIMIT) if letter.content.strip() else []
        done = self._progress.of(letter.key)
        with translated():
            room = await self._room(to)
            for number in range(len(done), len(texts)):
                view = buttons(letter.choices) if number == len(texts) - 1 else None
                draft = letter.draft if number == 0 else None
                nonce = nonce_of(letter.key, number)
                done.append(await self._place(room, texts[number], nonce=nonce, draft=draft, view=view))
            for file in letter.files[len(done) - len(texts) :]:
                shown = discord.File(io.BytesIO(file.content), filename=file.name)
                sent = await room.send(file=shown, nonce=nonce_of(letter.key, len(done)))
                done.append(str(sent.id))
        return self._progress.finish(letter.key)

    async def typing(self, to: Source) -> None:
        """Show that somebody is at work."""
        with translated():
            await (await self._room(to)).typing()

    async def preview(self, to: Source, content: str, *, draft: str | None) -> str:
        """Show a reply as it grows: in a new message, or in the one that shows it already; return its id."""
        with translated():
            return await self._place(await self._room(to), pieces(content, LIMIT)[0], draft=draft)

    async def _place(
        self,
        room: discord.PartialMessageable,
        text: str,
        *,
        draft: str | None,
        nonce: str | None = None,
        view: discord.ui.View | None = None,
    ) -> str:
        """Write a message, or write over the one that shows it already; return its id."""
        if draft is not None:
            with suppress(Gone), translated():
                await room.get_partial_message(int(draft)).edit(content=text, view=view)
                return draft
        given: Any = {name: value for name, value in (("nonce", nonce), ("view", view)) if value}
        sent: discord.Message = await room.send(text, suppress_embeds=True, **given)
        return str(sent.id)

    async def _room(self, to: Source) -> discord.PartialMessageable:
        with suppress(TimeoutError):  # replies of the last run are due before this one is connected
            async with asyncio.timeout(CONNECTS):
                await self._tried.wait()
        if self._client is None:
            raise ChannelUnavailable("Discord is not connected")
        return await self._rooms.of(to, self._client)
