"""What an outsider can see of a daemon as it happens, and the blow that falls at a chosen moment.

Promises that a blow without a delay falls before the outsider does anything else: between the moment and what would
come of it. Knows no signal and no socket.
"""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

MomentKind: TypeAlias = Literal[
    "connected",  # the daemon has opened its channel
    "offered",  # the platform has offered a message
    "accepted",  # the daemon has said that it has one
    "asked",  # the model was asked, and has not answered
    "answered",  # the model's answer is on its way
    "replied",  # the platform has a reply, and has not said so
    "receipted",  # it has said so
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """The `nth` time that `kind` is seen (of `subject` alone, if one is named), and `delay` seconds after that."""

    kind: MomentKind
    nth: int = 1
    delay: float | None = None
    subject: str | None = None


class Moments:
    """Counts what is seen, and strikes once for each aim. `seen` counts since the last one."""

    def __init__(self, strike: Callable[[], None]) -> None:
        self.seen: Counter[MomentKind] = Counter()
        self._strike = strike
        self._aim: Aim | None = None
        self._left = 0
        self._timer: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._listeners: list[tuple[MomentKind, Callable[[], None]]] = []

    def aim(self, aim: Aim | None) -> None:
        """Strike there, and nowhere else, from now on."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.seen.clear()
        self._aim, self._left = aim, aim.nth if aim else 0

    def listen(self, kind: MomentKind, listener: Callable[[], None]) -> None:
        """Call `listener` soon after each moment of this kind."""
        self._listeners.append((kind, listener))

    def see(self, kind: MomentKind, subject: str = "") -> None:
        """Something was seen."""
        self.seen[kind] += 1
        self._changed.set()
        loop = asyncio.get_running_loop()
        for wanted, listener in self._listeners:
            if wanted == kind:
                loop.call_soon(listener)
        aim = self._aim
        if aim is None or aim.kind != kind or aim.subject not in {None, subject}:
            return
        self._left -= 1
        if self._left:
            return
        self._aim = None
        if aim.delay is None:
            self._strike()
        else:
            self._timer = loop.call_later(aim.delay, self._strike)

    async def until(self, fact: Callable[[], bool], *, seconds: float) -> bool:
        """Wait for something seen to make `fact` true; return whether it did in time."""
        try:
            async with asyncio.timeout(seconds):
                while not fact():
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return fact()
        return True
