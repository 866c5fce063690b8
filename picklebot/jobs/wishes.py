"""When somebody wants a task to run, as they said it, and how it was understood.

Promises a `Timing` that is due at least once from now on, or a `ValueError` in words for whoever asked. Knows no store.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from picklebot.clock import zone_named
from picklebot.definitions import schedules
from picklebot.definitions.crons import CronSpec
from picklebot.definitions.values import duration
from picklebot.jobs.timing import Timing, next_instant, timing_of

_CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)")
_SPANS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_ONE = "say when by exactly one of schedule ('0 9 * * 1-5'), at ('2026-12-01T09:00') and every ('30m')"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """When to run, as it was said. Empty text is the same as none."""

    schedule: str | None = None
    at: str | None = None
    every: str | None = None
    timezone: str | None = None


def understand(wish: Wish, *, now: datetime, zone: tzinfo) -> Timing:
    """Return what `wish` means at the moment `now`; `zone` is for one that names none.

    Raises:
        ValueError: it says nothing, too much, something that is no time, or only moments that have passed.
    """
    given = [text for text in (wish.schedule, wish.at, wish.every) if text]
    if len(given) != 1:
        raise ValueError(f"{_ONE}: here {'are ' + str(len(given)) if given else 'is none'}")
    zone = zone_named(schedules.zone(wish.timezone)) if wish.timezone else zone
    spec = CronSpec(
        id="task",
        schedule=schedules.schedule(wish.schedule) if wish.schedule else None,
        at=_moment(wish.at, now.astimezone(zone)) if wish.at else None,
        every=_span(wish.every) if wish.every else None,
    )
    timing = timing_of(spec, zone=zone, anchor=now)
    if next_instant(timing, after=now) is None:
        raise ValueError(_passed(timing, now))
    return timing


def words(timing: Timing, *, now: datetime) -> str:
    """Return when a task runs, for a person: its rhythm, if it has one, and its next moment with the weekday."""
    instant = next_instant(timing, after=now)
    moment = spoken(instant.at, timing.zone) if instant else "never again"
    if timing.every is not None:
        return f"every {span(timing.every)}, next {moment}"
    return f"on the schedule {timing.cron}, next {moment}" if timing.cron is not None else moment


def spoken(moment: datetime, zone: tzinfo) -> str:
    """Return a moment as `Saturday 2026-11-21 10:10 (Europe/Berlin)`."""
    local = moment.astimezone(zone)
    seconds = f":{local:%S}" if local.second else ""
    return f"{local:%A %Y-%m-%d %H:%M}{seconds} ({zone})"


def span(seconds: float) -> str:
    """Return `90 seconds`, `30 minutes`, `2 hours`: in the largest unit that leaves no rest."""
    size, unit = next(each for each in _SPANS if each[0] == 1 or (seconds >= each[0] and seconds % each[0] == 0))
    count = seconds / size
    return f"{count:g} {unit}{'' if count == 1 else 's'}"


def _moment(text: str, now: datetime) -> str:
    """Return an ISO moment; a time of day alone is its next one."""
    if (clock := _CLOCK.fullmatch(text.strip())) is None:
        return schedules.moment(text.strip())
    today = now.replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0, tzinfo=None)
    later = today if today > now.replace(tzinfo=None) else today + timedelta(days=1)
    return later.isoformat(timespec="minutes")


def _span(text: str) -> float:
    seconds = duration(text)
    if seconds < 1:
        raise ValueError(f"{text!r} is too often: a task runs at most once a second")
    return seconds


def _passed(timing: Timing, now: datetime) -> str:
    shown = spoken(now, timing.zone)
    if timing.at is not None:
        return f"{spoken(timing.at, timing.zone)} has passed: it is {shown} now"
    return f"the schedule {timing.cron!r} names no moment from now on ({shown})"
