"""Slack as a channel: Socket Mode in, messages out.

Promises that an envelope is acknowledged only when what it says is on disk or was refused in words, so that Slack brings
it again after a crash; that one message is one message by whichever way it comes; and that what was said while nobody
listened is asked for on return, wherever the app was spoken to before. Knows no session and no agent.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from functools import partial
from typing import TypeAlias

from picklebot.channels.base import Accepted, Attached, Bookmarks, Incoming, Letter
from picklebot.channels.notices import Notices
from picklebot.channels.reading import Reading
from picklebot.channels.slack.absence import Absence
from picklebot.channels.slack.api import SlackApi
from picklebot.channels.slack.fields import within
from picklebot.channels.slack.history import ordinal
from picklebot.channels.slack.posting import PERSON, Posting
from picklebot.channels.slack.socket import Envelope, Line, Lines
from picklebot.channels.slack.updates import File, Me, Said, read
from picklebot.channels.slack.wording import LIMIT
from picklebot.clock import SystemClock
from picklebot.core.source import Source
from picklebot.errors import ChannelError, ChannelUnavailable, PicklebotError, StoreFull, Unknown

logger = logging.getLogger(__name__)

ERRANDS = 2048  #: messages that were settled and not acknowledged yet; more than can be on their way
NAMED = 500  #: people whose names are remembered
NAMES = 5.0  #: seconds in which Slack may say what somebody is called
HISTORY = frozenset({"channels:history", "groups:history", "im:history"})
SCOPES = HISTORY | {"app_mentions:read", "chat:write", "files:read", "files:write", "im:write", "users:read"}
Settled: TypeAlias = tuple[Said, Envelope | None, Accepted | PicklebotError]


class SlackChannel:
    """A `Channel` whose platform is one app in one workspace."""

    max_length = LIMIT
    hint = (
        "Replies are read in Slack: short paragraphs, no tables, no headings. "
        "Bold, italics, links, lists and code blocks are shown."
    )
    id_like = "U012AB3CD"
    preview_pause = 1.5  #: seconds between two looks at a growing reply

    def __init__(self, name: str, api: SlackApi) -> None:
        self.name = name
        self._api = api
        self._clock = SystemClock()
        self._posting = Posting(api, self._clock)
        self._reading = Reading(name)
        self._names: OrderedDict[str, str] = OrderedDict()
        self._notices = Notices()

    @property
    def keyed(self) -> bool:
        """Whether a message that may be there is looked for before it is sent again: Slack itself drops none."""
        return self._posting.looks

    def is_id(self, person: str) -> bool:
        """Return whether somebody can have this id in Slack."""
        return PERSON.fullmatch(person) is not None

    def remember_in(self, bookmarks: Bookmarks) -> None:
        """Keep how far each place was read."""
        self._reading = Reading(self.name, bookmarks)

    async def aclose(self) -> None:
        """Close every connection."""
        await self._api.aclose()

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Ask who the app is, listen, and yield what people said and say to it."""
        me = await self._introduce()
        line = await Line.open(self._api)
        lines, errands = Lines(self._api, line), asyncio.Queue[Settled](ERRANDS)
        logger.info("slack: listening as @%s", me.name)
        gone: ChannelUnavailable | None = None
        try:
            async with asyncio.TaskGroup() as group:
                tasks = [
                    group.create_task(lines.listen(), name="slack sockets"),
                    group.create_task(self._run(errands), name="slack errands"),
                    group.create_task(self._reading.follow(), name="slack bookmarks"),
                ]
                try:
                    async with aclosing(self._messages(lines, errands, me)) as messages:
                        yield messages
                except ChannelUnavailable as exc:
                    gone = exc  # raised below: a group would wrap it
                finally:
                    for task in tasks:
                        task.cancel()
        finally:
            await line.aclose()
            await self._reading.write()
        if gone is not None:
            raise gone

    async def _introduce(self) -> Me:
        found, headers = await self._api.answer(self._api.web.auth_test())
        granted = {scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",") if scope.strip()}
        if granted and (lacking := SCOPES - granted):
            logger.warning(
                "slack: the app lacks scopes, and part of this will not work: %s", ", ".join(sorted(lacking))
            )
        self._posting.looks = not granted or granted >= HISTORY
        return Me(
            team=str(found.get("team_id", "")),
            user=str(found.get("user_id", "")),
            name=str(found.get("user", "")),
            enterprise=str(found.get("enterprise_id") or ""),
        )

    async def _messages(
        self, lines: Lines, errands: "asyncio.Queue[Settled]", me: Me
    ) -> AsyncGenerator[Incoming, None]:
        absence = Absence(self._api, self._reading, me, self._clock)
        if self._posting.looks:
            await absence.begin()
        while True:
            envelope = await lines.next(within=absence.pause)
            if envelope is None:
                for said in await absence.somewhere():
                    yield await self._incoming(said, None, lines, errands)
            elif (heard := read(envelope.kind, envelope.payload, me)) is None:
                await envelope.line.acknowledge(envelope.id)
            else:
                for where in heard.places:
                    for said in await absence.at(where):
                        yield await self._incoming(said, None, lines, errands)
                yield await self._incoming(heard, envelope, lines, errands)

    async def _incoming(
        self, said: Said, envelope: Envelope | None, lines: Lines, errands: "asyncio.Queue[Settled]"
    ) -> Incoming:
        if said.private and said.room:
            self._posting.learn(said.person, said.room)
        for where in said.places:
            self._reading.arrived(where, ordinal(said.ts), said.ts)

        def settle(verdict: Accepted | PicklebotError) -> None:
            if isinstance(verdict, StoreFull):  # Slack keeps it, and what is behind it
                lines.end(ChannelUnavailable(f"nothing can be accepted: {verdict}"))
                return
            for where in said.places:
                self._reading.settled(where, ordinal(said.ts), accepted=isinstance(verdict, Accepted))
            with suppress(asyncio.QueueFull):  # it comes again, and is known
                errands.put_nowait((said, envelope, verdict))

        return Incoming(
            source=self._source(said),
            content=said.content,
            key=said.key,
            settle=settle,
            sender=await self._name_of(said.person) if said.private else "",
            private=said.private,
            outside=said.outside,
            files=[self._attached(file) for file in said.files],
        )

    def _source(self, said: Said) -> Source:
        thread = (said.thread,) if said.thread else ()
        return Source(self.name, (said.person, said.person if said.private else said.room, *thread))

    def _attached(self, file: File) -> Attached:
        return Attached(kind=file.kind, fetch=partial(self._fetch, file), name=file.name, size=file.size)

    async def _fetch(self, file: File, most: int) -> bytes:
        url = file.url
        if not url:  # one of another workspace: what it is has to be asked for
            found = await self._api.call(self._api.web.files_info(file=file.id))
            url = str(within(found, "file").get("url_private") or "")
        return await self._api.download(url, most, page=file.mime == "text/html")

    async def _name_of(self, person: str) -> str:
        """Return what somebody calls themselves; "" where Slack does not say so soon."""
        if person not in self._names:
            name = ""
            with suppress(ChannelError, TimeoutError):
                async with asyncio.timeout(NAMES):
                    found = await self._api.call(self._api.web.users_info(user=person.rpartition("/")[2]))
                user = within(found, "user")
                name = str(within(user, "profile").get("display_name") or user.get("real_name") or "")
            self._names[person] = name
            if len(self._names) > NAMED:
                self._names.popitem(last=False)
        return self._names[person]

    async def _run(self, errands: "asyncio.Queue[Settled]") -> None:
        """Acknowledge what was settled, and tell people of what was not taken."""
        async with asyncio.TaskGroup() as group:
            while True:
                said, envelope, verdict = await errands.get()
                if envelope is not None:
                    await envelope.line.acknowledge(envelope.id)
                if said.pressed is not None or not isinstance(verdict, Accepted | Unknown):
                    group.create_task(self._answer(said, verdict), name="slack answer")
                elif isinstance(verdict, Accepted):
                    self._notices.taken(str(self._source(said)))

    async def _answer(self, said: Said, verdict: Accepted | PicklebotError) -> None:
        """Take the buttons away that were pressed, or tell somebody, once until one is taken, why theirs was not."""
        source = self._source(said)
        with suppress(ChannelError):  # none of this is worth a second attempt
            if isinstance(verdict, Accepted):
                if (pressed := said.pressed) is not None:
                    await self._posting.take_buttons(said.room, pressed.ts, pressed.text, pressed.blocks)
            elif not isinstance(verdict, Unknown) and self._notices.is_first(str(source)):
                await self.send(source, f"I could not take that: {verdict}.", key=f"refused:{said.key}")

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Send a message, in pieces where it is too long for one; return the id of the last."""
        return await self.deliver(to, Letter(content=content, key=key))

    async def deliver(self, to: Source, letter: Letter) -> str:
        """Send a message with all that goes with it; a draft becomes its first piece."""
        return await self._posting.deliver(to, letter)

    async def typing(self, to: Source) -> None:
        """Slack shows only people as typing."""

    async def preview(self, to: Source, content: str, *, draft: str | None) -> str:
        """Show a reply as it grows: in a new message, or in the one that shows it already; return its id."""
        return await self._posting.preview(to, content, draft=draft)
