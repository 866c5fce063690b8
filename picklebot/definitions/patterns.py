"""What a cron expression means: the wall times that it names, as a calendar has them.

Promises that every expression which `pattern` returns names a day that comes, and that its wall times come in order,
each once. croniter reads the fields; which days they name is decided here, as classic cron does: where both day fields
are restricted either may match, and a field that begins with `*` or `?` restricts nothing of the other. Knows no time
zone: a wall time may be skipped or come twice, and that is for others to say.
"""

from bisect import bisect_left
from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date, datetime, time
from functools import lru_cache
from typing import Any

import croniter as _croniter  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # has no types

NEVER = 50  #: years without a match after which none is looked for; 29 February on a Monday takes forty
_CRON: Any = _croniter.croniter  # pyright: ignore[reportUnknownMemberType]  # has no types
_RANGES = (range(60), range(24), range(1, 32), range(1, 13), range(7))
_LAST = 0  #: in place of a number: the last of its kind in a month


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """The fields of an expression, each as what it matches. Weekdays count from Sunday, which is 0."""

    minutes: Sequence[int]
    hours: Sequence[int]
    months: frozenset[int]
    dates: frozenset[int]
    """Days of the month; 0 is its last day."""
    nearest: frozenset[int]
    """Days of the month of which the nearest day from Monday to Friday is meant."""
    weekdays: frozenset[int]
    numbered: frozenset[tuple[int, int]]
    """A weekday and which of its kind in the month; 0 is the last."""
    both: bool
    """Whether date and weekday must both match; otherwise one of them is enough."""

    def walls(self, first: datetime) -> Iterator[datetime]:
        """Yield the wall times from the minute of `first` on, in order. All are without a time zone."""
        for day in self.days(first.date()):
            begins = day == first.date()
            for hour in self.hours[bisect_left(self.hours, first.hour) if begins else 0 :]:
                within = begins and hour == first.hour
                for minute in self.minutes[bisect_left(self.minutes, first.minute) if within else 0 :]:
                    yield datetime.combine(day, time(hour, minute))

    def days(self, first: date) -> Iterator[date]:
        """Yield the days from `first` on; ends once none came for fifty years."""
        year, until = first.year, first.year + NEVER
        while year <= min(until, MAXYEAR - 1):
            for month in sorted(self.months):
                if (year, month) < (first.year, first.month):
                    continue
                of = _Month(*monthrange(year, month))
                begin = first.day if (year, month) == (first.year, first.month) else 1
                for day in range(begin, of.last + 1):
                    if self._names(day, of):
                        until = year + NEVER
                        yield date(year, month, day)
            year += 1

    def _names(self, day: int, month: "_Month") -> bool:
        by_date = day in self.dates or (day == month.last and _LAST in self.dates)
        if self.nearest and not by_date:
            by_date = any(day == month.nearest(to) for to in self.nearest)
        if by_date is not self.both:  # the weekday cannot change it
            return by_date
        weekday = (month.begins + day) % 7
        if weekday in self.weekdays:
            return True
        if not self.numbered:
            return False
        return (weekday, (day + 6) // 7) in self.numbered or (
            day + 7 > month.last and (weekday, _LAST) in self.numbered
        )


@dataclass(frozen=True, slots=True)
class _Month:
    begins: int
    """The weekday of its first day; Monday is 0, as `calendar` has it."""
    last: int

    def nearest(self, day: int) -> int:
        """Return the day from Monday to Friday that is nearest to `day` in this month."""
        day = min(day, self.last)
        match (self.begins + day - 1) % 7:
            case 5:
                return day - 1 if day > 1 else day + 2
            case 6:
                return day + 1 if day < self.last else day - 2
            case _:
                return day


@lru_cache(maxsize=4096)
def pattern(expression: str) -> Pattern:
    """Read an expression of five fields, or a nickname such as @daily.

    Raises:
        ValueError: if it is none, or names a day that never comes.
    """
    try:
        _CRON.expand(expression, strict=True)
        read = _CRON(expression, 0.0)
    except (ValueError, TypeError, KeyError) as exc:  # croniter's errors are the first two
        raise ValueError(f"{expression!r} is no schedule: {exc}") from exc
    fields: list[str] = read.expressions
    if len(fields) != len(_RANGES):
        raise ValueError(f"{expression!r} is no schedule of five fields")
    minutes, hours, dates, months, weekdays = (
        _matches(values, every) for values, every in zip(read.expanded, _RANGES, strict=True)
    )
    numbers: dict[int, set[int | str]] = read.nth_weekday_of_month
    if numbers and not all("#" in item or item[0] == "l" for item in fields[4].split(",")):
        raise ValueError(f"{fields[4]!r} in the schedule {expression!r} has weekdays with a number and without")
    nearest: frozenset[int] = frozenset(read.nearest_weekday)
    found = Pattern(
        minutes=tuple(sorted(minutes)),
        hours=tuple(sorted(hours)),
        months=months,
        dates=frozenset() if nearest else dates,
        nearest=nearest,
        weekdays=frozenset() if numbers else weekdays,
        numbered=frozenset((day, _LAST if n == "l" else int(n)) for day, them in numbers.items() for n in them),
        both=fields[2][0] in "*?" or fields[4][0] in "*?",
    )
    if next(found.days(date(2000, 1, 1)), None) is None:
        raise ValueError(f"{expression!r} is no schedule: the day that it names never comes")
    return found


def _matches(values: Sequence[int | str], every: range) -> frozenset[int]:
    if "*" in values:
        return frozenset(every)
    return frozenset(_LAST if value == "l" else int(value) for value in values)
