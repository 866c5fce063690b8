"""Replies on their way into Slack.

Promises that a message which may be there already is looked for before it is sent again, by its key, which goes with
each part as metadata: Slack itself drops no second message. Knows nothing of what people say.
"""

import re
from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from picklebot.channels.base import Choice, Letter, SentFile
from picklebot.channels.progress import Progress
from picklebot.channels.slack.api import Refused, SlackApi
from picklebot.channels.slack.fields import Fields, within
from picklebot.channels.slack.history import mark_of, parts_there
from picklebot.channels.slack.wording import pieces, to_mrkdwn, with_buttons
from picklebot.clock import Clock
from picklebot.core.source import Source
from picklebot.errors import ChannelUnavailable, DeliveryRejected

KEPT = 1000  #: rooms, and keys, that are remembered
EDITS = 1.2  #: seconds between two edits of all growing replies together: Slack takes 50 a minute
PERSON = re.compile(r"(?:[TE][A-Z0-9]+/)?[UW][A-Z0-9]+")  #: somebody's id; that of another workspace goes before it
_ROOM = re.compile(r"[CGD][A-Z0-9]+")
_NO_THREAD = frozenset({"thread_not_found", "cannot_reply_to_message"})
_LOST = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


class Posting:
    """Writes messages of one app."""

    def __init__(self, api: SlackApi, clock: Clock) -> None:
        self.looks = True  #: whether what is there already can be looked for
        self._api = api
        self._clock = clock
        self._rooms: OrderedDict[str, str] = OrderedDict()  # the conversation with a person alone
        self._progress = Progress()
        self._refused: OrderedDict[str, str] = OrderedDict()  # keys whose last attempt Slack certainly did not take
        self._files: OrderedDict[str, str] = OrderedDict()  # what is uploaded and may be shared
        self._quiet_until = 0.0

    def learn(self, person: str, room: str) -> None:
        """Remember where somebody is spoken to alone."""
        _keep(self._rooms, person, room)

    async def deliver(self, to: Source, letter: Letter) -> str:
        """Send a message with all that goes with it; a draft becomes its first piece. Return the id of the last.

        Raises:
            ChannelUnavailable: again later.
            DeliveryRejected: never.
        """
        try:
            receipt = await self._deliver(to, letter)
        except ChannelUnavailable as exc:
            if not exc.unknown:
                _keep(self._refused, letter.key, "")
            raise
        self._refused.pop(letter.key, None)
        return receipt

    async def _deliver(self, to: Source, letter: Letter) -> str:
        room, thread = await self._place(to)
        texts = pieces(letter.content) if letter.content.strip() else []
        done = self._progress.of(letter.key)
        if self.looks and letter.tried_since is not None and self._refused.pop(letter.key, None) is None:
            with suppress(Refused):  # a place that cannot be read any more: what is sent there is told so
                there = await parts_there(
                    self._api, room, thread, key=letter.key, since=letter.tried_since, clock=self._clock
                )
                while len(done) < len(texts) and len(done) in there:
                    done.append(there[len(done)])
        for number in range(len(done), len(texts)):
            more: dict[str, Any] = {"metadata": mark_of(letter.key, number)}
            choices = letter.choices if number == len(texts) - 1 else ()
            done.append(
                await self._write(
                    room, texts[number], thread, draft=letter.draft if number == 0 else None, choices=choices, **more
                )
            )
        for file in letter.files[len(done) - len(texts) :]:
            done.append(await self._share(room, thread, file, f"{letter.key}:{len(done)}"))
        return self._progress.finish(letter.key)

    async def preview(self, to: Source, content: str, *, draft: str | None) -> str:
        """Show a reply as it grows: in a new message, or in the one that shows it already; return its id."""
        now = self._clock.monotonic()
        if draft is not None:
            if now < self._quiet_until:
                return draft  # the next look shows more
            self._quiet_until = now + EDITS
        room, thread = await self._place(to)
        try:
            return await self._write(room, pieces(content)[0], thread, draft=draft)
        except ChannelUnavailable as exc:
            if draft is None:
                raise
            self._quiet_until = now + (exc.retry_after or EDITS)
            return draft

    async def take_buttons(self, room: str, ts: str, text: str, blocks: Sequence[Fields]) -> None:
        """Write a message again without what could be pressed.

        Raises:
            ChannelError: it cannot be.
        """
        left = [block for block in blocks if block.get("type") != "actions"]
        await self._api.call(self._api.web.chat_update(channel=room, ts=ts, text=text, blocks=left))

    async def _write(
        self,
        room: str,
        text: str,
        thread: str | None,
        *,
        draft: str | None,
        choices: Sequence[Choice] = (),
        **more: Any,
    ) -> str:
        """Write a message, or write over the one that shows it already; return its id."""
        web, shown = self._api.web, to_mrkdwn(text)
        blocks = with_buttons(text, choices)
        if draft is not None:
            try:
                await self._api.call(web.chat_update(channel=room, ts=draft, text=shown, blocks=blocks, **more))
            except Refused as exc:
                if exc.code not in _LOST:
                    raise
            else:
                return draft
        post: dict[str, Any] = {"channel": room, "text": shown, "blocks": blocks or None, **more}
        post |= {"unfurl_links": False, "unfurl_media": False}  # it would fetch what a model was talked into writing
        try:
            sent = await self._api.call(web.chat_postMessage(thread_ts=thread, **post))
        except Refused as exc:
            if thread is None or exc.code not in _NO_THREAD:
                raise
            sent = await self._api.call(web.chat_postMessage(**post))
        return str(sent.get("ts", ""))

    async def _share(self, room: str, thread: str | None, file: SentFile, key: str) -> str:
        """Upload a file and share it; return its id. One that may be shared already is looked at first."""
        web = self._api.web
        known = self._files.get(key)
        if known is not None and await self._is_shared(known):
            return known
        place = await self._api.call(web.files_getUploadURLExternal(filename=file.name, length=len(file.content)))
        await self._api.upload(str(place.get("upload_url", "")), file.content)
        number = str(place.get("file_id", ""))
        _keep(self._files, key, number)
        files = [{"id": number, "title": file.name}]
        await self._api.call(web.files_completeUploadExternal(files=files, channel_id=room, thread_ts=thread))
        return number

    async def _is_shared(self, file_id: str) -> bool:
        try:
            found = within(await self._api.call(self._api.web.files_info(file=file_id)), "file")
        except Refused:  # Slack forgets what was never shared
            return False
        return any(found.get(kind) for kind in ("shares", "channels", "groups", "ims"))

    async def _place(self, to: Source) -> tuple[str, str | None]:
        """Return the conversation that `to` names, which for a person alone has to be asked for once, and the thread."""
        person, room, *rest = (*to.parts, "", "")[: max(2, len(to.parts))]
        if not (PERSON.fullmatch(person) and (room == person or _ROOM.fullmatch(room))):
            raise DeliveryRejected(f"{to} names nobody in Slack: it looks like slack:PERSON:CHANNEL")
        if room == person:
            if person not in self._rooms:
                opened = await self._api.call(self._api.web.conversations_open(users=person.rpartition("/")[2]))
                self.learn(person, str(within(opened, "channel").get("id", "")))
            room = self._rooms[person]
        return room, rest[0] if rest else None


def _keep(memory: "OrderedDict[str, str]", key: str, value: str) -> None:
    memory[key] = value
    memory.move_to_end(key)
    if len(memory) > KEPT:
        memory.popitem(last=False)
