"""Files that people send and are sent: where they are kept, and under which names.

Promises that a file is kept under a name made here, whatever its sender calls it, that one which is too large leaves
nothing behind, and that a file which is sent is opened beneath the workspace by the kernel and through no link. The
same file offered again is the same name. Knows no platform.
"""

import asyncio
import hashlib
import os
import re
import stat
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from picklebot.channels.base import Attached, Incoming, SentFile
from picklebot.core.proposals import visible
from picklebot.core.text import clean, shorten
from picklebot.errors import ChannelError, ChannelUnavailable, DeliveryRejected
from picklebot.tools.beneath import Failure, Tree, replace_file
from picklebot.tools.files import ATTACHMENTS

FOLDER = ATTACHMENTS
MAX_BYTES = 20 << 20  #: of one file, in either direction: the most that a Telegram bot may fetch
AT_ONCE = 2  #: files that are held in memory at the same time
ATTEMPTS = 3  #: to fetch one
MAX_FILES = 10  #: of one message
MAX_NAME = 80  #: characters of a sender's name for a file that are shown
_SUFFIX = re.compile(r"\.[A-Za-z0-9]{1,8}\Z")


class Attachments:
    """The folder of files from outside."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._room = asyncio.Semaphore(AT_ONCE)

    async def keep(self, incoming: Incoming, *, at: datetime) -> Incoming:
        """Fetch the files of a message and keep them; return it with words that say where they are."""
        words = [await self._keep(incoming, number, at) for number, _ in enumerate(incoming.files[:MAX_FILES])]
        if len(incoming.files) > MAX_FILES:
            words.append(f"[{len(incoming.files) - MAX_FILES} more files were left out]")
        return replace(incoming, content="\n".join(part for part in (incoming.content, *words) if part), files=())

    async def _keep(self, incoming: Incoming, number: int, at: datetime) -> str:
        file = incoming.files[number]
        told = f"“{visible(shorten(clean(file.name), MAX_NAME))}”" if file.name else file.kind
        try:
            async with self._room:
                content = await _fetch(file)
                where = _name(incoming, number, file, at)
                await asyncio.to_thread(self._write, where, content)
        except (ChannelError, Failure, OSError) as exc:
            return f"[A file that did not come through, {told}: {exc}]"
        return f"[File: {where} ({told}, {file.kind}, {len(content):,} bytes)]"

    def _write(self, where: str, content: bytes) -> None:
        tree = Tree(str(self._root), follow=False)
        try:
            folder, name = tree.open_folder(where, create=True)
            try:
                replace_file(folder, name, content, mode=0o600)
            finally:
                os.close(folder)
        finally:
            tree.close()

    async def take(self, where: str) -> SentFile:
        """Read a file of the workspace that is to be sent.

        Raises:
            DeliveryRejected: it is no regular file beneath the workspace, or too large.
        """
        content = await asyncio.to_thread(self._read, where)
        return SentFile(name=where.rpartition("/")[2], content=content)

    def _read(self, where: str) -> bytes:
        tree = Tree(str(self._root), follow=False)
        try:
            descriptor = tree.open(where, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(descriptor)
                if not stat.S_ISREG(status.st_mode):
                    raise DeliveryRejected(f"{where} is no regular file")
                content = file.read(MAX_BYTES + 1)
        except (Failure, OSError) as exc:
            raise DeliveryRejected(f"{where} cannot be sent: {exc}") from exc
        finally:
            tree.close()
        if len(content) > MAX_BYTES:
            raise DeliveryRejected(f"{where} is larger than {MAX_BYTES >> 20} MB, which is the most that is sent")
        return content


async def _fetch(file: Attached) -> bytes:
    if file.size is not None and file.size > MAX_BYTES:
        raise ChannelError(f"it has {file.size:,} bytes, and {MAX_BYTES:,} are taken")
    for _ in range(ATTEMPTS - 1):
        with suppress(ChannelUnavailable):  # a connection that broke in the middle, say
            return _bounded(await file.fetch(MAX_BYTES))
    return _bounded(await file.fetch(MAX_BYTES))


def _bounded(content: bytes) -> bytes:
    if len(content) > MAX_BYTES:
        raise ChannelError(f"it has more than the {MAX_BYTES:,} bytes that are taken")
    return content


def _name(incoming: Incoming, number: int, file: Attached, at: datetime) -> str:
    """Return a name that is made of the message's key alone, but for a plain ending."""
    identity = f"{incoming.source.channel}\0{incoming.key}\0{number}".encode()
    ending = _SUFFIX.search(file.name)
    suffix = ending[0].lower() if ending else file.suffix
    return f"{FOLDER}/{at:%Y-%m}/{hashlib.blake2b(identity, digest_size=8).hexdigest()}{suffix}"
