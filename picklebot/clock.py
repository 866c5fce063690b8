"""Time, behind a door: nothing else in picklebot asks what time it is.

Promises aware UTC moments, and seconds that never run backwards. Knows no schedule.
"""

import asyncio
import os
import time
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError


class Clock(Protocol):
    """What time it is, and waiting for it to pass."""

    def now(self) -> datetime:
        """Return this moment, aware, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds that only go up, for durations."""
        ...

    async def wait(self, event: asyncio.Event, *, until: datetime | None = None) -> bool:
        """Wait for `event`, at most until `until`; return whether it was set."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds of this clock's time."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """Return this moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic(self) -> float:
        """Return seconds that only go up, for durations."""
        return time.monotonic()

    async def wait(self, event: asyncio.Event, *, until: datetime | None = None) -> bool:
        """Wait for `event`, at most until `until`; return whether it was set."""
        # Asked again at least once an hour, because a suspended or corrected clock moves under a long timer.
        while not event.is_set():
            left = 3600.0 if until is None else (until - self.now()).total_seconds()
            if left <= 0:
                return False
            try:
                async with asyncio.timeout(min(left, 3600.0)):
                    await event.wait()
            except TimeoutError:
                continue
        return True

    async def sleep(self, seconds: float) -> None:
        """Wait that many seconds."""
        await asyncio.sleep(seconds)


def midnight(now: datetime, *, days: int = 0) -> datetime:
    """Return the first moment of the day that `now` shows where it is told, or of one so many days later, in UTC.

    Where clocks are put forward at midnight, the day begins at one o'clock.
    """
    day = now.date() + timedelta(days=days)
    return datetime(day.year, day.month, day.day, tzinfo=now.tzinfo).astimezone(UTC)


def zone_named(name: str | None) -> tzinfo:
    """Return the time zone called `name`; with None the machine's own: $TZ, else /etc/localtime, else UTC."""
    _, found, local = os.path.realpath("/etc/localtime").partition("zoneinfo/")
    for candidate in (name, os.environ.get("TZ"), local if found else None):
        if candidate:
            try:
                return ZoneInfo(candidate.removeprefix(":"))
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return UTC
