"""What steers agents, as the audit log has it: the settings, and the files of agents, jobs and skills.

Promises an entry for each change, also for one that was made while nothing ran. Knows no format.
"""

import asyncio
from collections.abc import Iterable, Mapping
from datetime import datetime
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from picklebot.clock import Clock
from picklebot.definitions.library import Library
from picklebot.store.base import Audit, AuditKind

SETTINGS, DEFINITIONS = "config.yaml", "agents, jobs and skills"


class Book(Audit, Protocol):
    """The audit log, which can also be asked."""

    async def last(self, kind: AuditKind, about: str) -> Mapping[str, Any]:
        """Return what the last entry of a kind says of a thing; nothing where there is none."""
        ...


class Steering:
    """Writes down what has changed."""

    def __init__(self, book: Book, library: Library, *, settings: Path, clock: Clock) -> None:
        self._book = book
        self._library = library
        self._settings = settings
        self._clock = clock

    async def begin(self) -> None:
        """Write down what is other than when it was last looked at."""
        for about in (SETTINGS, DEFINITIONS):
            digest = await asyncio.to_thread(_digest, self._files(about))
            if (await self._book.last("config", about)).get("digest") != digest:
                await self._note({"about": about, "what": f"is {digest}", "digest": digest})

    async def changed(self, names: Iterable[str]) -> None:
        """Write down which definitions have changed."""
        digest = await asyncio.to_thread(_digest, self._files(DEFINITIONS))
        what = f"changed: {', '.join(names)}"
        await self._note({"about": DEFINITIONS, "what": what[:1000], "digest": digest})

    def _files(self, about: str) -> list[Path]:
        if about == SETTINGS:
            return [self._settings]
        library = self._library
        return sorted(spec.path for kind in (library.agents, library.crons, library.skills) for spec in kind.values())

    async def _note(self, body: Mapping[str, str]) -> None:
        at: datetime = self._clock.now()
        await self._book.note("config", body, at=at)


def _digest(files: Iterable[Path]) -> str:
    found = blake2b(digest_size=16)
    for file in files:
        try:
            content = file.read_bytes()
        except OSError:  # gone since, or none there: a change as well
            content = b""
        found.update(b"%b\0%d\0" % (str(file).encode(errors="surrogateescape"), len(content)))
        found.update(content)
    return found.hexdigest()
