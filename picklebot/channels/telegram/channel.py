"""Telegram as a channel: long polling in, messages out.

Promises that Telegram is told "received" (the offset moves on) only when everything before it is on disk or was
refused in words, and that what Telegram cannot format is sent as it stands. Telegram takes no key: after a crash in
the middle of a send the same message may be there twice, unless it is the end of one that was shown as it grew.
"""

import logging
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import Any, cast

from picklebot.channels.base import Accepted, Attached, Bookmarks, Choice, Incoming, Letter, SentFile, Settle
from picklebot.channels.notices import Notices
from picklebot.channels.progress import Progress
from picklebot.channels.reading import Nowhere
from picklebot.channels.split import pieces, units
from picklebot.channels.telegram.api import BotApi, Refused
from picklebot.channels.telegram.contents import Fields, File
from picklebot.channels.telegram.in_hand import InHand
from picklebot.channels.telegram.polling import Polling, Post
from picklebot.channels.telegram.updates import Me, Said, read
from picklebot.channels.telegram.wording import LIMIT, to_html
from picklebot.clock import Clock
from picklebot.core.source import Source
from picklebot.errors import ChannelError, ChannelUnavailable, PicklebotError, StoreFull, Unknown

logger = logging.getLogger(__name__)

_PHOTOS = (".jpg", ".jpeg", ".png", ".webp")
_NO_TOPIC = ("thread not found", "TOPIC_CLOSED", "TOPIC_DELETED")
MAX_PHOTO = 10 << 20  #: bytes of what is shown as a photo; larger ones are sent as files


class TelegramChannel:
    """A `Channel` whose platform is one bot."""

    keyed = False
    max_length = LIMIT - 96  # characters; those that count twice are few, and `pieces` sees to the rest
    hint = (
        "Replies are read on a phone, in Telegram: short paragraphs, no tables, no headings. "
        "Bold, italics, links, lists and code blocks are shown."
    )
    preview_pause = 1.5  #: seconds between two looks at a growing reply

    def __init__(self, name: str, api: BotApi, *, poll_seconds: int, clock: Clock) -> None:
        self.name = name
        self._api = api
        self._poll_seconds = poll_seconds
        self._clock = clock
        self._bookmarks: Bookmarks = Nowhere()
        self._moved: dict[str, str] = {}  # groups that became supergroups
        self._notices = Notices()
        self._progress = Progress()

    async def aclose(self) -> None:
        """Close every connection."""
        await self._api.aclose()

    def remember_in(self, bookmarks: Bookmarks) -> None:
        """Use these bookmarks for where albums end."""
        self._bookmarks = bookmarks

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Ask who the bot is, and yield what people say to it."""
        found = await self._api.call("getMe")
        match found:
            case {"id": int(number)}:
                me = Me(id=number, username=str(found.get("username") or ""))
            case _:
                raise ChannelUnavailable("getMe: the answer does not say who the bot is")
        logger.info("telegram: listening as @%s", me.username)
        async with aclosing(self._messages(me)) as messages:
            yield messages

    async def show_commands(self, commands: Sequence[tuple[str, str]]) -> None:
        """Put commands into the bot's menu."""
        menu = [{"command": name, "description": words[:256]} for name, words in commands[:100]]
        await self._api.call("setMyCommands", commands=menu)

    async def _messages(self, me: Me) -> AsyncGenerator[Incoming, None]:
        polling = Polling(
            self.name, self._api, seconds=self._poll_seconds, clock=self._clock, bookmarks=self._bookmarks
        )
        in_hand = InHand(self._clock)
        async with aclosing(polling.looks(in_hand.numbers)) as looks:
            async for posts in looks:
                for post in posts:
                    if (said := read(post.updates, me)) is not None:
                        yield self._incoming(post, said, in_hand.add(said, post.numbers))
                for said, verdict in await in_hand.settled():
                    await self._settle(said, verdict)

    def _incoming(self, post: Post, said: Said, settle: Settle) -> Incoming:
        return Incoming(
            source=self._source(said),
            content=said.content,
            key=f"{self._api.bot_id}:{post.numbers[0]}",
            settle=settle,
            sender=said.sender,
            private=said.private,
            outside=said.outside,
            files=[self._attached(file) for file in said.files],
        )

    def _attached(self, file: File) -> Attached:
        fetch = partial(self._api.download, file.id)
        return Attached(kind=file.kind, fetch=fetch, name=file.name, suffix=file.suffix, size=file.size)

    def _source(self, said: Said) -> Source:
        thread = (said.thread,) if said.thread is not None else ()
        return Source(self.name, (said.person, said.chat, *thread))

    async def _settle(self, said: Said, verdict: Accepted | PicklebotError) -> None:
        """Go on after a message: it is on disk, or its sender hears why it is not, once until one is taken again."""
        if isinstance(verdict, StoreFull):  # Telegram keeps it, and what is behind it
            raise ChannelUnavailable(f"nothing can be accepted: {verdict}")
        with suppress(ChannelError):  # none of this is worth a second attempt
            if said.pressed is not None:
                await self._api.call("answerCallbackQuery", callback_query_id=said.pressed)
            if isinstance(verdict, Accepted):
                self._notices.taken(said.chat)
                if said.pressed is not None:
                    await self._api.call("editMessageReplyMarkup", chat_id=said.chat, message_id=said.message)
            elif not isinstance(verdict, Unknown) and self._notices.is_first(said.chat):
                await self._post(self._source(said), f"I could not take that: {verdict}.")

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Send a message, in pieces where it is too long for one; return the id of the last."""
        return await self.deliver(to, Letter(content=content, key=key))

    async def deliver(self, to: Source, letter: Letter) -> str:
        """Send a message with all that goes with it.

        A draft becomes its first piece. Pieces that are there are not sent again while this process lives.
        """
        texts = pieces(letter.content, LIMIT) if letter.content.strip() else []
        done = self._progress.of(letter.key)
        for number in range(len(done), len(texts)):
            choices = letter.choices if number == len(texts) - 1 else ()
            draft = letter.draft if number == 0 else None
            done.append(await self._place(to, texts[number], draft=draft, choices=choices))
        for file in letter.files[len(done) - len(texts) :]:
            done.append(await self._give(to, file))
        return self._progress.finish(letter.key)

    async def _give(self, to: Source, file: SentFile) -> str:
        """Send a file, as a photo if it is one; say so where Telegram does not take it."""
        if file.name.lower().endswith(_PHOTOS) and len(file.content) <= MAX_PHOTO:
            try:
                return _id(await self._to(to, partial(self._api.upload, "sendPhoto", "photo", file)))
            except Refused as exc:
                logger.info("telegram does not take %r as a photo: %s", file.name, exc)
        try:
            return _id(await self._to(to, partial(self._api.upload, "sendDocument", "document", file)))
        except Refused as exc:
            return await self._post(to, f"{file.name} could not be sent: {exc}.")

    async def typing(self, to: Source) -> None:
        """Show that somebody is at work."""
        await self._to(to, partial(self._api.call, "sendChatAction", action="typing"))

    async def preview(self, to: Source, content: str, *, draft: str | None) -> str:
        """Show a reply as it grows: in a new message, or in the one that shows it already; return its id."""
        shown = content if units(content) <= LIMIT else pieces(content, LIMIT)[0]
        return await self._place(to, shown, draft=draft, silent=draft is None)

    async def _place(
        self, to: Source, text: str, *, draft: str | None, choices: Sequence[Choice] = (), silent: bool = False
    ) -> str:
        """Write a message, or write over the one that shows it already; return its id."""
        if draft is None:
            return await self._post(to, text, choices=choices, silent=silent)
        try:
            edit = partial(self._api.call, "editMessageText", message_id=int(draft), reply_markup=_buttons(choices))
            await self._formatted(to, text, edit)
        except Refused as exc:
            if "message is not modified" in str(exc):
                return draft
            if exc.moved_to is None and not _is_lost(exc):
                raise
            return await self._post(to, text, choices=choices)
        return draft

    async def _post(self, to: Source, text: str, *, choices: Sequence[Choice] = (), silent: bool = False) -> str:
        call = partial(
            self._api.call, "sendMessage", reply_markup=_buttons(choices), disable_notification=silent or None
        )
        return _id(await self._formatted(to, text, call))

    async def _formatted(self, to: Source, text: str, call: "partial[Any]") -> Any:
        """Make a call with `text` formatted, or as it stands where Telegram does not take that."""
        quiet = {"is_disabled": True}  # a preview would fetch whatever address a model was talked into writing
        try:
            return await self._to(to, partial(call, text=to_html(text), parse_mode="HTML", link_preview_options=quiet))
        except Refused as exc:
            if "parse entities" not in str(exc):
                raise
            logger.warning("telegram takes a message only without its format: %s", exc)
            return await self._to(to, partial(call, text=text, link_preview_options=quiet))

    async def _to(self, to: Source, call: "partial[Any]") -> Any:
        """Make a call about the chat that `to` names, wherever it has moved, in its topic if there still is one."""
        *_, chat = to.parts[:2] or ("",)
        thread = int(to.parts[2]) if len(to.parts) > 2 and to.parts[2].isdecimal() else None
        if call.args[0] == "editMessageText":
            thread = None  # a message knows where it is
        try:
            return await call(chat_id=self._moved.get(chat, chat), message_thread_id=thread)
        except Refused as exc:
            if exc.moved_to is not None and chat not in self._moved:
                self._moved[chat] = exc.moved_to
            elif thread is not None and any(words in str(exc) for words in _NO_TOPIC):
                thread = None
            else:
                raise
        return await call(chat_id=self._moved.get(chat, chat), message_thread_id=thread)


def _is_lost(exc: Refused) -> bool:
    """Return whether the message that was to be written over is there no more, or can no more be written over."""
    return any(words in str(exc) for words in ("message to edit not found", "can't be edited", "MESSAGE_ID_INVALID"))


def _buttons(choices: Sequence[Choice]) -> Mapping[str, Any] | None:
    """Return choices as buttons; those that do not fit into 64 bytes are left to be typed."""
    row = [{"text": c.label[:64], "callback_data": c.says} for c in choices if len(c.says.encode()) <= 64]
    return {"inline_keyboard": [row]} if row else None


def _id(message: Any) -> str:
    return str(cast("Fields", message).get("message_id", "")) if isinstance(message, dict) else ""
