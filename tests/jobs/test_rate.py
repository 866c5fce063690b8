"""How often a job is due at its busiest."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from picklebot.jobs.rate import FREQUENT, most_in_an_hour
from picklebot.jobs.timing import Timing

ZONE = ZoneInfo("America/New_York")
START = datetime(2026, 3, 7, 12, 34, tzinfo=UTC)  # the day before clocks change


@pytest.mark.parametrize(
    ("expression", "most"),
    [
        ("* * * * *", 60),
        ("*/10 9 * * 1", 6),
        ("*/15 * * * *", FREQUENT),
        ("15,30,45,55 * * * *", FREQUENT),  # not five for the spring night, in which 1:59 is followed by 3:00
        ("50-59 9 * * *", 10),
        ("50-59,0-9 9,10 * * *", 20),
        ("*/20 0,23 * * *", 3),
        ("0 9 * * 1-5", 1),
        ("0 0 29 2 *", 1),
        ("1-59 * * * *", 59),
        ("30-59 22,23 * * *", 30),
        ("45,59,0 23,0 1,2 * *", 3),
    ],
)
def test_the_busiest_hour_of_an_expression_is_found(expression: str, most: int) -> None:
    assert most_in_an_hour(Timing(zone=ZONE, cron=expression), start=START) == most


@pytest.mark.parametrize(
    ("every", "most"), [(300, 12), (900, 4), (901, 4), (1200, 3), (3600, 1), (90_000, 1), (1, 3600)]
)
def test_an_interval_is_counted_without_looking(every: float, most: int) -> None:
    assert most_in_an_hour(Timing(zone=ZONE, every=every, anchor=START), start=START) == most


def test_a_moment_comes_once_or_never() -> None:
    timing = Timing(zone=ZONE, at=START)
    assert most_in_an_hour(timing, start=START - timedelta(days=400)) == 1
    assert most_in_an_hour(timing, start=START) == 0
