"""When a job is due: clock changes, spans, moments, and how late it is begun."""

from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice, takewhile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from picklebot.definitions import schedules
from picklebot.definitions.crons import CronSpec
from picklebot.jobs.timing import Instant, Timing, delay_of, instants, next_instant, timing_of

NEW_YORK, BERLIN = ZoneInfo("America/New_York"), ZoneInfo("Europe/Berlin")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
START = datetime(2026, 3, 1, tzinfo=UTC)


def cron(expression: str, zone: tzinfo = NEW_YORK) -> Timing:
    return Timing(zone=zone, cron=expression)


def shown(timing: Timing, after: datetime, *, hours: int = 24) -> list[str]:
    """Return the wall times and the UTC times of what is due within so many hours."""
    found = takewhile(lambda instant: instant.at <= after + hours * HOUR, instants(timing, after=after))
    return [f"{instant.wall[-5:]} at {instant.at:%H:%M}" for instant in found]


# -- clock changes


SPRING, AUTUMN = datetime(2026, 3, 8, 6, 30, tzinfo=UTC), datetime(2026, 11, 1, 4, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("30 2 * * *", ["03:00 at 07:00"]),
        ("0,30 2 * * *", ["03:00 at 07:00"]),
        ("30 2,3 * * *", ["03:00 at 07:00", "03:30 at 07:30"]),
        ("0 2,3 * * *", ["03:00 at 07:00"]),
        ("*/20 * * * *", ["01:40 at 06:40", "03:00 at 07:00", "03:20 at 07:20"]),
    ],
)
def test_a_wall_time_that_is_skipped_is_due_once_after_the_gap(expression: str, due: list[str]) -> None:
    assert shown(cron(expression), SPRING, hours=1) == due


@pytest.mark.parametrize(
    ("expression", "due"),
    [
        ("30 1 * * *", ["01:30 at 05:30"]),
        ("0 1,2 * * *", ["01:00 at 05:00", "02:00 at 07:00"]),
        ("*/30 * * * *", ["01:00 at 05:00", "01:30 at 05:30", "02:00 at 07:00"]),
    ],
)
def test_a_wall_time_that_comes_twice_is_due_when_it_comes_first(expression: str, due: list[str]) -> None:
    assert shown(cron(expression), AUTUMN, hours=3)[: len(due)] == due
    assert len(shown(cron(expression), AUTUMN, hours=2)) == len([each for each in due if each < "02"])


def test_an_interval_counts_elapsed_seconds_through_both_nights() -> None:
    timing = Timing(zone=NEW_YORK, every=1800, anchor=datetime(2026, 3, 1, 0, 10, tzinfo=UTC))
    for night in (SPRING, AUTUMN):
        found = [instant.at for instant in islice(instants(timing, after=night), 8)]
        assert found == [night + timedelta(minutes=10) + n * HOUR / 2 for n in range(8)]


@pytest.mark.parametrize(
    ("name", "expression", "after", "wall", "at"),
    [
        ("Australia/Lord_Howe", "15 2 * * *", "2026-10-03T12:00Z", "2026-10-04T02:30", "2026-10-03T15:30Z"),
        ("Antarctica/Troll", "30 1 * * *", "2026-03-28T12:00Z", "2026-03-29T03:00", "2026-03-29T01:00Z"),
        ("Africa/Cairo", "0 0 * * 5", "2026-04-23T12:00Z", "2026-04-24T01:00", "2026-04-23T22:00Z"),
        ("Pacific/Apia", "0 9 30 12 *", "2011-12-29T12:00Z", "2011-12-31T00:00", "2011-12-30T10:00Z"),
        ("Africa/Monrovia", "10 0 7 1 *", "1972-01-06T12:00Z", "1972-01-07T00:45", "1972-01-07T00:45Z"),
    ],
)
def test_a_gap_of_any_length_ends_with_a_minute_that_is_there(
    name: str, expression: str, after: str, wall: str, at: str
) -> None:
    found = next_instant(cron(expression, ZoneInfo(name)), after=datetime.fromisoformat(after))
    assert found == Instant(datetime.fromisoformat(at), wall)


# -- where it ends


def test_the_29th_of_february_on_a_monday_is_waited_for() -> None:
    timing = cron("0 0 * 2 1#5", UTC)
    assert [instant.at.year for instant in islice(instants(timing, after=START), 4)] == [2044, 2072, 2112, 2140]


def test_there_is_an_end_to_the_calendar() -> None:
    last = datetime(9998, 12, 30, tzinfo=UTC)
    assert [instant.wall for instant in instants(cron("0 9 * * *", UTC), after=last)][-1] == "9998-12-31T09:00"
    yearly = Timing(zone=UTC, every=367 * 86400, anchor=last)
    assert list(instants(yearly, after=last)) == []


# -- spans and moments


def test_an_interval_never_drifts() -> None:
    timing = Timing(zone=UTC, every=0.1 + 6.9, anchor=START)
    far = START + timedelta(seconds=7) * 10**7
    assert next_instant(timing, after=far - timedelta(microseconds=1)) == Instant(far, far.isoformat())
    assert next_instant(timing, after=far) == Instant(far + timedelta(seconds=7), "2028-05-19T04:26:47+00:00")


def test_an_interval_begins_one_span_after_its_anchor() -> None:
    timing = Timing(zone=UTC, every=3600, anchor=START)
    for after in (START - 30 * DAY, START, START + HOUR / 2):
        assert next_instant(timing, after=after) == Instant(START + HOUR, "2026-03-01T01:00:00+00:00")


def test_a_moment_comes_once() -> None:
    timing = Timing(zone=NEW_YORK, at=START.astimezone(BERLIN))
    assert list(instants(timing, after=START - DAY)) == [Instant(START, "2026-03-01T00:00:00+00:00")]
    assert list(instants(timing, after=START)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {},
        {"cron": "0 9 * * *", "every": 60.0, "anchor": START},
        {"every": 60.0},
        {"every": 0.5, "anchor": START},
        {"at": START.replace(tzinfo=None)},
        {"every": 60.0, "anchor": START.replace(tzinfo=None)},
    ],
)
def test_a_timing_that_says_no_one_thing_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"exactly one|no schedule|no time zone"):
        Timing(zone=UTC, **wrong)  # type: ignore[arg-type]  # a test may give any field


# -- from a CRON.md


def spec(**fields: object) -> CronSpec:
    return CronSpec.model_validate({"id": "tea", "path": Path("CRON.md"), **fields})


def test_a_file_says_when_in_its_own_zone_or_the_configured_one() -> None:
    anchor = START
    named = timing_of(spec(schedule="0 9 * * *", timezone="Europe/Berlin", jitter=90), zone=NEW_YORK, anchor=anchor)
    assert (named.zone, named.cron, named.jitter) == (BERLIN, "0 9 * * *", 90)
    assert timing_of(spec(schedule="@daily"), zone=NEW_YORK, anchor=anchor).zone == NEW_YORK
    assert timing_of(spec(every="30m"), zone=NEW_YORK, anchor=anchor).every == 1800
    assert timing_of(spec(every="30m"), zone=NEW_YORK, anchor=anchor).anchor == anchor


@pytest.mark.parametrize(
    ("written", "at"),
    [
        ("2026-12-01T09:00", "2026-12-01T14:00Z"),
        ("2026-12-01T09:00+02:00", "2026-12-01T07:00Z"),
        ("2026-03-08T02:30", "2026-03-08T07:00Z"),  # skipped
        ("2026-11-01T01:30", "2026-11-01T05:30Z"),  # comes twice
    ],
)
def test_a_moment_without_a_zone_is_one_of_the_job_s_zone(written: str, at: str) -> None:
    timing = timing_of(spec(at=written), zone=NEW_YORK, anchor=START)
    assert timing.at == datetime.fromisoformat(at)


@pytest.mark.parametrize("at", ["9999-12-31T23:59", "0001-01-01"])
def test_a_moment_that_is_in_no_year_elsewhere_is_refused(at: str) -> None:
    with pytest.raises(ValueError, match="anything is due"):
        schedules.moment(at)


# -- jitter


def test_the_jitter_of_an_instant_is_always_the_same_and_spread_over_its_span() -> None:
    found = list(islice(instants(cron("*/5 * * * *"), after=START), 500))
    delays = [delay_of("tea", instant, 90) for instant in found]
    assert delays == [delay_of("tea", instant, 90) for instant in found]
    assert all(timedelta() <= delay < timedelta(seconds=90) for delay in delays)
    assert max(delays) - min(delays) > timedelta(seconds=80)
    assert delays != [delay_of("coffee", instant, 90) for instant in found]
    assert delay_of("tea", found[0], 0) == timedelta()
