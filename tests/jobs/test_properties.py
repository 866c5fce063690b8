"""What holds of any expression, in any zone, counted from anywhere."""

from datetime import UTC, datetime, timedelta, timezone, tzinfo
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import croniter  # type: ignore[import-untyped]  # has no types
from hypothesis import given
from hypothesis import strategies as st

from picklebot.definitions import schedules
from picklebot.definitions.patterns import pattern
from picklebot.jobs.timing import Timing, instants

ZONES = st.sampled_from(
    [
        "UTC",
        "America/New_York",
        "Europe/Berlin",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Asia/Kathmandu",
        "America/Nuuk",
        "Antarctica/Troll",
    ]
).map(ZoneInfo) | st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(2015, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis adds the zone


def field(first: int, last: int, *others: str) -> st.SearchStrategy[str]:
    value = st.integers(first, last)
    span = st.tuples(value, value).filter(lambda pair: pair[0] != pair[1]).map(lambda pair: f"{pair[0]}-{pair[1]}")
    step = st.integers(1, last).map(lambda n: f"*/{n}")
    stepped = st.tuples(span, st.integers(1, 5)).map(lambda pair: f"{pair[0]}/{pair[1]}")
    plain = value.map(str) | span | stepped
    return st.just("*") | step | st.lists(plain, min_size=1, max_size=3).map(",".join) | st.sampled_from(["*", *others])


EXPRESSIONS = st.tuples(
    field(0, 59),
    field(0, 23),
    field(1, 31, "L", "?", "15W", "31W"),
    field(1, 12, "mar,oct,nov", "feb"),
    field(0, 7, "mon-fri", "fri-mon", "?", "1#2", "5#5", "L5", "sun"),
).map(" ".join)


def accepted(expression: str) -> bool:
    try:
        schedules.schedule(expression)
    except ValueError:
        return False
    return True


@given(EXPRESSIONS.filter(accepted), ZONES, MOMENTS, st.integers(0, 11))
def test_instants_ascend_have_walls_of_their_own_and_go_on_from_anywhere(
    expression: str, zone: tzinfo, after: datetime, number: int
) -> None:
    timing = Timing(zone=zone, cron=expression)
    found = list(islice(instants(timing, after=after), 12))
    assert len(found) == 12  # what is accepted comes, again and again
    assert after < found[0].at
    assert all(one.at < other.at for one, other in pairwise(found))
    assert len({instant.wall for instant in found}) == 12
    for instant in found:
        assert instant.at.astimezone(zone).strftime("%Y-%m-%dT%H:%M") == instant.wall
    between = found[number - 1].at + (found[number].at - found[number - 1].at) / 2 if number else after
    for begin, rest in ((found[number].at, found[number + 1 :]), (between, found[number:])):
        assert list(islice(instants(timing, after=begin), len(rest))) == rest


@given(EXPRESSIONS.filter(accepted), MOMENTS.map(lambda moment: moment.replace(tzinfo=None)))
def test_calendars_are_read_as_croniter_reads_them_but_for_days_of_two_kinds(expression: str, after: datetime) -> None:
    day, weekday = expression.split()[2], expression.split()[4]
    if day not in {"*", "?"} and weekday not in {"*", "?"}:
        weekday = "*"  # classic cron is another rule there
    expression = " ".join([*expression.split()[:2], day, expression.split()[3], weekday])
    if not accepted(expression):
        return
    theirs = croniter.croniter(expression, after)
    walls = pattern(expression).walls(after + timedelta(minutes=1))
    assert [theirs.get_next(datetime) for _ in range(5)] == list(islice(walls, 5))


@given(st.floats(1, 1e6), MOMENTS, MOMENTS, st.integers(0, 4))
def test_an_interval_goes_on_from_anywhere(every: float, anchor: datetime, after: datetime, number: int) -> None:
    timing = Timing(zone=UTC, every=every, anchor=anchor)
    found = list(islice(instants(timing, after=after), 6))
    assert after < found[0].at
    assert len({instant.wall for instant in found}) == 6
    assert list(islice(instants(timing, after=found[number].at), 5 - number)) == found[number + 1 :]
