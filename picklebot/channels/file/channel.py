"""Files as a channel: a message is a file in `in`, its reply one in `out`.

Promises that a file is taken away only when its message is on disk and `accepted` says so, that one which holds no
message is set aside with the reason, and that one sender's files are accepted in the order in which they were written.
The same file is the same message, also after a kill. Knows no session and no agent.
"""

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, ParamSpec, TypeVar

from picklebot.channels.base import Accepted, Attached, Incoming, Letter
from picklebot.channels.file.folders import IN, OUT, Dropped, Folders, Unfit
from picklebot.channels.file.reading import MAX_BYTES, Unreadable, Written, is_plain, read_message
from picklebot.clock import Clock
from picklebot.core.source import Source
from picklebot.core.text import clean
from picklebot.definitions.watch import watch
from picklebot.errors import ChannelError, ChannelUnavailable, PicklebotError, Transient

logger = logging.getLogger(__name__)

LISTED = 1_000  #: files of one look: names only
OFFERED = 100  #: messages on their way at once
SETTLES = 2.0  #: seconds after a change in which a file may still be in the making
PAUSE = 1.0  #: seconds until a file that could not be taken is looked at again
_PHOTOS = (".jpg", ".jpeg", ".png", ".webp")
Asked = ParamSpec("Asked")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class _Offered:
    """A file whose message is on its way."""

    name: str
    written: Written
    key: str
    verdict: "asyncio.Future[Accepted | PicklebotError]"


class FileChannel:
    """A `Channel` whose platform is a few folders."""

    keyed = True  # a reply is named after what it answers, and says which reply it is
    max_length: int | None = None
    hint = "Replies are written into a file, for a program or a person to read."
    open_to_all = True  # whoever can write into the folder

    def __init__(self, name: str, folders: Folders, clock: Clock) -> None:
        self.name = name
        self._folders = folders
        self._clock = clock
        self._writing = asyncio.Lock()  # a name is looked for and then taken
        self._in_hand: set[str] = set()  # files whose messages may be accepted already, with no receipt yet
        self._open = self._looked = False  # whether what an earlier run left so has its receipts
        self._news = asyncio.Event()

    @asynccontextmanager
    async def connect(self) -> AsyncGenerator[AsyncIterator[Incoming], None]:
        """Make the folders, and yield what lies in the first of them and what comes into it."""
        await self._do(self._folders.prepare)
        await self._do(self._folders.forget, self._clock.now())
        self._open, self._looked = True, False
        try:
            async with aclosing(self._messages()) as messages:
                yield messages
        finally:
            self._open = False
            self._in_hand.clear()
            self._tell()

    async def send(self, to: Source, content: str, *, key: str) -> str:
        """Write a reply that answers no file in particular."""
        return await self.deliver(to, Letter(content=content, key=key))

    async def deliver(self, to: Source, letter: Letter) -> str:
        """Write a reply, once for each file that it answers; return what the first is called."""
        stems = await self._stems(letter.answers)
        async with self._writing:
            return await self._do(self._write, ":".join(to.parts), stems or [letter.key], letter)

    async def _stems(self, event_ids: Sequence[str]) -> list[str]:
        """Return the names of the files that became these messages, once their receipts are written."""
        while True:
            news, all_told = self._news, self._open and self._looked and not self._in_hand
            found = [await self._do(self._folders.stem_of, event_id) for event_id in event_ids]
            stems = [stem for stem in found if stem is not None]
            if all_told or len(stems) == len(found):
                return stems
            if not self._open:
                raise ChannelUnavailable(f"nobody looks into {self._folders.top} yet")
            await news.wait()

    async def _messages(self) -> AsyncGenerator[Incoming, None]:
        async with aclosing(watch(self._folders.top, folders=(IN,), names=(), clock=self._clock)) as hints:
            while True:
                held: set[str] = set()
                async with aclosing(self._look(held)) as found:
                    async for incoming in found:
                        yield incoming
                self._looked = True
                self._tell()
                if held:
                    await self._clock.sleep(PAUSE)
                else:
                    await anext(hints)

    async def _look(self, held: set[str]) -> AsyncGenerator[Incoming, None]:
        """Yield what waits, a message of each sender at a time; add to `held` what has to wait longer."""
        refused: set[str] = set()  # senders whose messages have to wait: what comes after those waits behind them
        while files := await self._do(self._folders.waiting, LISTED, held):
            offered: dict[str, _Offered] = {}
            for dropped in files:
                if (each := await self._read(dropped, held)) is None:
                    continue
                sender = each.written.sender
                if (before := offered.pop(sender, None)) is not None:
                    await self._settle(before, refused, held)
                if sender in refused:
                    held.add(each.name)
                    continue
                offered[sender] = each
                self._in_hand.add(each.name)
                yield self._incoming(each)
                if len(offered) == OFFERED:
                    await self._settle(offered.pop(next(iter(offered))), refused, held)
            for each in offered.values():
                await self._settle(each, refused, held)

    async def _read(self, dropped: Dropped, held: set[str]) -> _Offered | None:
        """Return the message in a file; None where there is none yet, or none at all."""
        try:
            content = await self._do(self._folders.read, dropped.name, MAX_BYTES)
            written = read_message(content)
        except (Unfit, Unreadable) as exc:
            if 0 <= self._clock.now().timestamp() - dropped.written / 1e9 < SETTLES:
                held.add(dropped.name)  # it may still be in the making
            else:
                await self._set_aside(dropped.name, str(exc))
            return None
        identity = f"{dropped.name}\0{dropped.written}\0".encode("utf-8", "surrogateescape") + content
        own = f"{written.sender}\0{written.id}" if written.id else hashlib.blake2b(identity, digest_size=16).hexdigest()
        return _Offered(dropped.name, written, own, asyncio.get_running_loop().create_future())

    def _incoming(self, each: _Offered) -> Incoming:
        def settle(settled: Accepted | PicklebotError) -> None:
            if not each.verdict.done():  # nobody may wait any more
                each.verdict.set_result(settled)

        written = each.written
        return Incoming(
            source=Source(self.name, (written.sender,)),
            content=written.content,
            key=each.key,
            agent=written.agent,
            session=written.session,
            new_session=written.new_session,
            settle=settle,
            sender=written.sender,
            files=[self._attached(name) for name in written.files],
        )

    def _attached(self, name: str) -> Attached:
        kind = "a photo" if name.lower().endswith(_PHOTOS) else "a file"
        return Attached(kind=kind, fetch=partial(self._fetch, name), name=name)

    async def _fetch(self, name: str, most: int) -> bytes:
        try:
            return await self._do(self._folders.read, name, most)
        except Unfit as exc:
            raise ChannelError(str(exc)) from exc

    async def _settle(self, each: _Offered, refused: set[str], held: set[str]) -> None:
        verdict = await each.verdict
        match verdict:
            case Accepted():
                receipt = {"file": each.name, "event_id": verdict.event_id, "session_id": verdict.session_id}
                names = (each.name, *each.written.files)
                await self._do(self._folders.accept, verdict.event_id, receipt, names)
            case Transient():
                logger.info("%s waits in the folder: %s", clean(each.name), verdict)
                refused.add(each.written.sender)
                held.add(each.name)
            case _:
                await self._set_aside(each.name, str(verdict))
        self._in_hand.discard(each.name)
        self._tell()

    def _tell(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _set_aside(self, name: str, reason: str) -> None:
        logger.warning("%s is set aside: %s", clean(name), reason)
        await self._do(self._folders.set_aside, name, reason)

    def _write(self, to: str, stems: Sequence[str], letter: Letter) -> str:
        self._folders.prepare()
        files: list[str] = []
        for number, file in enumerate(letter.files, start=1):
            files.append(f"{letter.key}.{file.name if is_plain(file.name) else number}")
            self._folders.put(OUT, files[-1], file.content)
        reply: dict[str, Any] = {"id": letter.key, "to": to, "answers": stems, "content": letter.content}
        if letter.choices:
            reply["choices"] = [{"label": choice.label, "says": choice.says} for choice in letter.choices]
        for stem in stems:
            self._folders.reply(stem, {**reply, "files": files})
        return stems[0]

    async def _do(self, work: Callable[Asked, Answer], *given: Asked.args, **named: Asked.kwargs) -> Answer:
        """Do something with the folders in a thread.

        Raises:
            ChannelUnavailable: the disk does not do it now.
        """
        try:
            return await asyncio.to_thread(work, *given, **named)
        except OSError as exc:
            raise ChannelUnavailable(f"{self._folders.top}: {exc.strerror or exc}") from exc
