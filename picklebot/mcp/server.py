"""One server: connected when it is first needed, connected again when it is lost, and held to what it once said.

Promises that a call either ends in an answer or in words that say whether it may have happened, and that what a
server says today never replaces what its owner let in. Knows no SDK and no agent.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from picklebot.clock import Clock
from picklebot.errors import ToolError
from picklebot.mcp.base import Answer, Dial, Dialled, ServerTrouble, Target
from picklebot.mcp.pins import Drift, Offer, Pins, drift

logger = logging.getLogger(__name__)

FIRST_PAUSE, MAX_PAUSE = 1.0, 60.0  #: seconds between two tries to connect


class Server:
    """Run it in a task of its own; call it from any."""

    def __init__(self, target: Target, *, pins: Pins, dial: Dial, clock: Clock) -> None:
        self.name = target.name
        self.drift = Drift()
        self.trouble: str | None = None
        """Why it could not be spoken to the last time; None while all is well."""
        self._target = target
        self._pins = pins
        self._dial = dial
        self._clock = clock
        self._wanted = asyncio.Event()
        self._broken = asyncio.Event()
        self._settled = asyncio.Event()  # connected, or known to be away
        self._line: Dialled | None = None
        self._offered: Sequence[Offer] = ()

    def want(self) -> None:
        """Let it be connected."""
        self._wanted.set()

    async def run(self) -> None:
        """Keep the connection, from when it is wanted, until cancelled."""
        pause = FIRST_PAUSE
        while True:
            await self._wanted.wait()
            try:
                async with self._dial(self._target) as line:
                    await self._meet(line)
                    pause = FIRST_PAUSE
                    await self._broken.wait()
            except ServerTrouble as exc:
                self.trouble = str(exc)
                logger.warning("mcp server %s is away, trying again in %.0f s: %s", self.name, pause, exc)
            finally:
                self._line = None
            self._settled.set()
            await self._clock.sleep(pause)
            self._settled.clear()
            pause = min(pause * 2, MAX_PAUSE)

    async def offers(self) -> Sequence[Offer]:
        """Return what it may offer: what was let in; of a server never seen, what it says now.

        Raises:
            ServerTrouble: it was never seen and cannot be reached.
        """
        known = await asyncio.to_thread(self._pins.of, self.name)
        if known is None:
            await self._connected()
            known = await asyncio.to_thread(self._pins.of, self.name)
        return known or ()

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Run one of its tools.

        Raises:
            ToolError: it cannot be reached, it no longer is what it was, or nobody knows what came of the call.
        """
        try:
            line = await self._connected()
        except ServerTrouble as exc:
            raise ToolError(f"the server {self.name} cannot be reached: {exc}") from exc
        if tool in self.drift.changed and tool in (await self._compare()).changed:
            raise ToolError(
                f"the server {self.name} describes {tool} differently than when it was let in, so it is not used; "
                f"`picklebot tools trust {self.name}` lets the new words in"
            )
        if tool in self.drift.gone:
            raise ToolError(f"the server {self.name} no longer has {tool}")
        try:
            return await line.call(tool, arguments)
        except ServerTrouble as exc:
            self._broken.set()
            raise ToolError(
                f"UNKNOWN: the server {self.name} was lost in the middle ({exc}). The call may or may not have "
                "happened: check before you do it again."
            ) from exc

    async def _connected(self) -> Dialled:
        self._wanted.set()
        await self._settled.wait()
        if self._line is None:
            raise ServerTrouble(self.trouble or "it is away")
        return self._line

    async def _meet(self, line: Dialled) -> None:
        self._offered = await line.offers()
        if await asyncio.to_thread(self._pins.of, self.name) is None:
            await self._first_sight()
        if await self._compare():
            logger.warning("mcp server %s is not what was let in: %s", self.name, self.drift)
        self._broken.clear()
        self._line, self.trouble = line, None
        self._settled.set()

    async def _first_sight(self) -> None:
        """Let in what it offers, but for words that nobody could read; or nothing, where its owner is to be asked."""
        let_in = [offer for offer in self._offered if offer.is_plain and not self._target.ask]
        await asyncio.to_thread(self._pins.let_in, self.name, let_in, read=False)
        if let_in:
            logger.warning(
                "mcp server %s was seen for the first time: its tools are let in as it describes them: %s "
                "(`picklebot tools show NAME` says how)",
                self.name,
                ", ".join(offer.name for offer in let_in),
            )

    async def _compare(self) -> Drift:
        known = await asyncio.to_thread(self._pins.of, self.name)
        self.drift = drift(known or (), self._offered)
        await asyncio.to_thread(self._pins.note, self.name, str(self.drift))
        return self.drift
