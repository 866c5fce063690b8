"""The instants that have passed: the newest whole, the others counted."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from picklebot.jobs.passed import passed
from picklebot.jobs.timing import Instant, Timing, instants

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
TIMINGS = [
    Timing(zone=UTC, every=7.0, anchor=START - timedelta(seconds=3)),
    Timing(zone=UTC, cron="*/5 * * * *"),
    Timing(zone=UTC, at=START + timedelta(minutes=3)),
]


@pytest.mark.parametrize("timing", TIMINGS, ids=["every", "cron", "at"])
@pytest.mark.parametrize("most", [1, 10, 1000])
def test_the_newest_are_kept_and_those_before_are_counted(timing: Timing, most: int) -> None:
    now = START + timedelta(hours=1)
    every_one = list(_until(timing, now))
    found = passed(timing, after=START, now=now, most=most)
    assert list(found.instants) == every_one[-most:]
    assert found.earlier == max(len(every_one) - most, 0)


def test_a_year_of_seconds_is_counted_and_not_walked_through() -> None:
    timing = Timing(zone=UTC, every=1.0, anchor=START)
    found = passed(timing, after=START, now=START + timedelta(days=365), most=10)
    assert found.earlier == 365 * 86400 - 10
    assert found.instants[-1].at == START + timedelta(days=365)


def _until(timing: Timing, now: datetime) -> Iterator[Instant]:
    for instant in instants(timing, after=START):
        if instant.at > now:
            return
        yield instant
