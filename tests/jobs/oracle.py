"""When expressions are due, found by looking at every minute of UTC: slow, plain, and nothing of picklebot in it.

How far the clocks of a zone are from UTC is looked up for each minute. A wall time is due at the first minute in which
clocks show it, and one that they never show when they show the first later one.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, repeat
from zoneinfo import ZoneInfo, available_timezones

DAY = timedelta(days=1)
MARGIN = 2 * DAY
_APART = 26 * 3600  #: seconds; no clock is further from UTC, nor skips more
FIRST, YEARS = 2022, 4  #: in them Iran, Mexico, Jordan, Greenland, Egypt, Kazakhstan and Paraguay changed their rules
_ALWAYS = ("Africa/Casablanca", "Africa/Cairo", "America/Asuncion", "America/New_York", "America/Nuuk", "Asia/Almaty")
_THERE_TOO = ("Antarctica/Troll", "Asia/Gaza", "Asia/Tehran", "Australia/Lord_Howe", "Europe/Berlin", "UTC")


@dataclass(frozen=True, slots=True)
class Case:
    """An expression, and what it means, said by hand."""

    expression: str
    hours: Collection[int]
    minutes: Collection[int]
    on: Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive minutes in which clocks go alike: seconds of UTC, the last not included, and what clocks add."""

    first: int
    end: int
    offset: int


def runs(zone: ZoneInfo, start: datetime, end: datetime) -> list[Run]:
    """Return how the clocks of a zone go between two moments and somewhat beyond, having looked at every minute."""
    seconds = range(int((start - MARGIN).timestamp()), int((end + MARGIN).timestamp()), 60)
    offsets = map(datetime.utcoffset, map(datetime.fromtimestamp, seconds, repeat(zone)))
    found: list[Run] = []
    for offset, minutes in groupby(offsets):
        first = found[-1].end if found else seconds[0]
        found.append(Run(first, first + 60 * len(list(minutes)), int(offset.total_seconds()) if offset else 0))
    return found


def due(case: Case, runs: Sequence[Run], start: datetime, end: datetime) -> list[tuple[int, str]]:
    """Return the seconds from after `start` to before `end` at which a case is due, with what clocks show then."""
    times = [60 * (60 * hour + minute) for hour in case.hours for minute in case.minutes]
    first, last = int(start.timestamp()), int(end.timestamp())
    near = range(first - _APART, last + _APART)
    found: dict[int, int] = {}
    for number in range((end - start).days + 5):
        day = start.date() + (number - 2) * DAY
        if case.on(day):
            midnight = int(datetime.combine(day, time(), UTC).timestamp())
            found.update(_first(midnight + each, runs) for each in times if midnight + each in near)
    kept = sorted((second, wall) for second, wall in found.items() if first < second < last)
    return [(second, datetime.fromtimestamp(wall, UTC).isoformat()[:16]) for second, wall in kept]


def _first(wall: int, runs: Sequence[Run]) -> tuple[int, int]:
    """Return when clocks first show a wall time, or if they never do the next that they show, and which that is.

    Wall times are in seconds, as if they were UTC.
    """
    while True:
        for run in runs:
            if run.first <= wall - run.offset < run.end:
                return wall - run.offset, wall
        wall += 60


def changes(zone: ZoneInfo, start: datetime, end: datetime) -> list[datetime]:
    """Return the midnights of UTC after which the zone's offset changes within a day."""
    days = [start + number * DAY for number in range((end - start).days)]
    return [day for day in days if day.astimezone(zone).utcoffset() != (day + DAY).astimezone(zone).utcoffset()]


def zones(count: int) -> Sequence[str]:
    """Return names of zones, those first whose clocks change in these years."""
    start, end = datetime(FIRST, 1, 1, tzinfo=UTC), datetime(FIRST + YEARS, 1, 1, tzinfo=UTC)
    known = sorted(available_timezones() - {"localtime", "Factory", "build/etc/localtime"})
    moving = [name for name in known if any(_offsets_differ(ZoneInfo(name), start, end))]
    chosen = [name for name in (*_ALWAYS, *_THERE_TOO) if name in known]
    still = [name for name in known if name not in moving]
    for names, share in ((moving, count * 3 // 4), (still, count)):
        spread = names[:: max(1, len(names) // max(1, share - len(chosen)))]
        chosen += [name for name in spread if name not in chosen][: share - len(chosen)]
    return chosen[:count]


def _offsets_differ(zone: ZoneInfo, start: datetime, end: datetime) -> list[bool]:
    months = [start + number * 14 * DAY for number in range((end - start).days // 14)]
    offsets = [month.astimezone(zone).utcoffset() for month in months]
    return [offset != offsets[0] for offset in offsets]


def _every_day(day: date) -> bool:
    return True


def _last_of_month(day: date) -> bool:
    return (day + DAY).day == 1


def _nearest_to_the_fifteenth(day: date) -> bool:
    fifteenth = day.replace(day=15)
    return day == fifteenth + {5: -DAY, 6: DAY}.get(fifteenth.weekday(), timedelta())


ALL_DAY = range(24)
SUNDAY, MONDAY, FRIDAY, SATURDAY = 6, 0, 4, 5
CASES = (
    Case("30 2 * * *", [2], [30], _every_day),
    Case("30 1 * * *", [1], [30], _every_day),
    Case("0 0 * * *", [0], [0], _every_day),
    Case("@weekly", [0], [0], lambda day: day.weekday() == SUNDAY),
    Case("*/15 * * * *", ALL_DAY, [0, 15, 30, 45], _every_day),
    Case("7-59/26 * * * *", ALL_DAY, [7, 33, 59], _every_day),
    Case("*/10 1-3 * * *", [1, 2, 3], range(0, 60, 10), _every_day),
    Case("5,35 */2 * * *", range(0, 24, 2), [5, 35], _every_day),
    Case("0 3 * * 7", [3], [0], lambda day: day.weekday() == SUNDAY),
    Case("0 9 * * 1-5", [9], [0], lambda day: day.weekday() <= FRIDAY),
    Case("45 23,0 * * fri-mon", [23, 0], [45], lambda day: day.weekday() in {FRIDAY, SATURDAY, SUNDAY, MONDAY}),
    Case("59 23 L * *", [23], [59], _last_of_month),
    Case("15 2 1,15,31 * 0", [2], [15], lambda day: day.day in {1, 15, 31} or day.weekday() == SUNDAY),
    Case("15 2 */2 * 0", [2], [15], lambda day: day.day % 2 == 1 and day.weekday() == SUNDAY),
    Case("0 2 * 3,10,11 */6", [2], [0], lambda day: day.month in {3, 10, 11} and day.weekday() in {SUNDAY, SATURDAY}),
    Case("30 0 29 2 *", [0], [30], lambda day: (day.month, day.day) == (2, 29)),
    Case("0 4 * * 1#2", [4], [0], lambda day: day.weekday() == MONDAY and 8 <= day.day <= 14),
    Case("30 2 * * L0", [2], [30], lambda day: day.weekday() == SUNDAY and (day + 7 * DAY).month != day.month),
    Case("0 12 15W * ?", [12], [0], _nearest_to_the_fifteenth),
    Case("* 2 1-7 jan-dec sun", [2], range(60), lambda day: day.day <= 7 or day.weekday() == SUNDAY),
)
