"""Who came to the gateway's door, for the audit log.

Promises that a flood of wrong logins neither fills the log nor holds anybody up: of each address one a minute is
written down, and of all a handful. Knows no request.
"""

import asyncio
from datetime import datetime

from picklebot.clock import Clock
from picklebot.store.base import Audit

ROOM = 64  #: lines that wait to be written; further ones are not
WRONG_A_MINUTE = 10  #: addresses whose wrong logins are written down


class DoorBook:
    """Writes down who was let in and who was not."""

    def __init__(self, audit: Audit, clock: Clock) -> None:
        self._audit = audit
        self._clock = clock
        self._lines: asyncio.Queue[tuple[str, str, datetime]] = asyncio.Queue(ROOM)
        self._minute: datetime | None = None
        self._wrong: set[str] = set()

    def jot(self, what: str, address: str = "") -> None:
        """Write down what happened, soon."""
        if not self._lines.full():
            self._lines.put_nowait((what, address, self._clock.now()))

    def wrong(self, address: str) -> None:
        """Write down that somebody there was wrong, unless that is known of this minute."""
        minute = self._clock.now().replace(second=0, microsecond=0)
        if minute != self._minute:
            self._minute, self._wrong = minute, set()
        if address not in self._wrong and len(self._wrong) < WRONG_A_MINUTE:
            self._wrong.add(address)
            self.jot("a wrong login", address)

    async def run(self) -> None:
        """Write until cancelled."""
        while True:
            await self._write(*await self._lines.get())

    async def close(self) -> None:
        """Write what still waits."""
        while not self._lines.empty():
            await self._write(*self._lines.get_nowait())

    async def _write(self, what: str, address: str, at: datetime) -> None:
        await self._audit.note("login", {"by": address or "gateway", "about": "gateway", "what": what}, at=at)
