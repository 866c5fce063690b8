"""Time for tests.

Promises that time passes only in `advance`, and that whatever is then due wakes. Knows no schedule.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import TypeVar

PATIENCE = 10.0  #: real seconds to wait for what should happen at once, so that a test fails instead of hanging

_START = datetime(2030, 1, 1, tzinfo=UTC)
Due = TypeVar("Due", float, datetime)


class FakeClock:
    """A `Clock` that stands still until told to `advance`."""

    def __init__(self, now: datetime = _START) -> None:
        self._now = now
        self._passed = 0.0
        self._sleepers: dict[asyncio.Timeout, float] = {}  # due by `monotonic`
        self._waiters: dict[asyncio.Timeout, datetime] = {}  # due by `now`
        self._arrived = asyncio.Event()

    def now(self) -> datetime:
        """Return the moment at which this clock stands."""
        return self._now

    def monotonic(self) -> float:
        """Return the seconds that have passed since this clock was made."""
        return self._passed

    def advance(self, **delta: float) -> None:
        """Let time pass, e.g. `seconds=5`. A negative delta is a clock set back: `monotonic` stands still."""
        step = timedelta(**delta)
        self._now += step
        self._passed += max(0.0, step.total_seconds())
        for timer in (*_take(self._sleepers, self._passed), *_take(self._waiters, self._now)):
            timer.reschedule(0.0)  # a moment long past by the loop's own time: it expires at once

    async def wait(self, event: asyncio.Event, *, until: datetime | None = None) -> bool:
        """Wait for `event`, at most until this clock says `until`; return whether it was set."""
        if until is None:
            return await event.wait()
        if event.is_set() or until <= self._now:
            return event.is_set()
        await self._rest(event, self._waiters, until)
        return event.is_set()

    async def sleep(self, seconds: float) -> None:
        """Wait until `advance` has let that many seconds pass."""
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        await self._rest(asyncio.Event(), self._sleepers, self._passed + seconds)

    async def asleep(self, count: int = 1) -> None:
        """Wait until at least `count` tasks wait for time to pass: `advance` wakes only those that already do."""
        async with asyncio.timeout(PATIENCE):
            while len(self._sleepers) + len(self._waiters) < count:
                self._arrived.clear()
                await self._arrived.wait()

    async def _rest(self, event: asyncio.Event, timers: dict[asyncio.Timeout, Due], due: Due) -> None:
        timer = asyncio.timeout(None)
        try:
            async with timer:
                timers[timer] = due
                self._arrived.set()
                await event.wait()
        except TimeoutError:
            return
        finally:
            timers.pop(timer, None)


def _take(timers: dict[asyncio.Timeout, Due], now: Due) -> list[asyncio.Timeout]:
    """Remove and return the timers that are due, earliest first."""
    due = sorted((timer for timer, moment in timers.items() if moment <= now), key=timers.__getitem__)
    for timer in due:
        del timers[timer]
    return due
