"""When a task is to run, as people and models say it."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from picklebot.jobs.timing import next_instant
from picklebot.jobs.wishes import Wish, understand, words

NOW = datetime(2026, 11, 21, 9, 5, 30, tzinfo=UTC)  # a Saturday, five past ten in Berlin
BERLIN = ZoneInfo("Europe/Berlin")


def heard(**wish: str) -> str:
    """Return how a wish is understood."""
    return words(understand(Wish(**wish), now=NOW, zone=BERLIN), now=NOW)


@pytest.mark.parametrize(
    ("wish", "understood"),
    [
        ({"at": "2026-12-01T09:00"}, "Tuesday 2026-12-01 09:00 (Europe/Berlin)"),
        ({"at": "2026-12-01 09:00"}, "Tuesday 2026-12-01 09:00 (Europe/Berlin)"),
        ({"at": "2026-12-01T09:00Z"}, "Tuesday 2026-12-01 10:00 (Europe/Berlin)"),
        ({"at": "10:10"}, "Saturday 2026-11-21 10:10 (Europe/Berlin)"),
        ({"at": "9:00"}, "Sunday 2026-11-22 09:00 (Europe/Berlin)"),
        ({"at": "2026-12-01T09:00", "timezone": "Asia/Tokyo"}, "Tuesday 2026-12-01 09:00 (Asia/Tokyo)"),
        ({"every": "30m"}, "every 30 minutes, next Saturday 2026-11-21 10:35:30 (Europe/Berlin)"),
        ({"every": "1d"}, "every 1 day, next Sunday 2026-11-22 10:05:30 (Europe/Berlin)"),
        ({"schedule": "0 9 * * 1-5"}, "on the schedule 0 9 * * 1-5, next Monday 2026-11-23 09:00 (Europe/Berlin)"),
        ({"schedule": "@daily"}, "on the schedule @daily, next Sunday 2026-11-22 00:00 (Europe/Berlin)"),
    ],
)
def test_a_wish_is_told_as_it_was_understood_with_the_weekday(wish: dict[str, str], understood: str) -> None:
    assert heard(**wish) == understood


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        ({}, "here is none"),
        ({"at": "10:10", "every": "1h"}, "here are 2"),
        ({"at": "2026-11-21T10:00"}, "has passed: it is Saturday 2026-11-21 10:05:30"),
        ({"at": "tomorrow"}, "is no date and time"),
        ({"every": "0.5s"}, "is too often"),
        ({"every": "often"}, "is no duration"),
        ({"schedule": "99 9 * * *"}, "99"),
        ({"schedule": "0 0 30 2 *"}, "0 0 30 2 *"),
        ({"at": "10:10", "timezone": "Europe/Berlon"}, "did you mean 'Europe/Berlin'?"),
    ],
)
def test_a_wish_that_cannot_be_met_is_refused_in_words(wish: dict[str, str], reason: str) -> None:
    with pytest.raises(ValueError, match=reason.replace("*", r"\*").replace("?", r"\?")):
        heard(**wish)


def test_a_moment_that_the_clock_skips_is_the_first_one_after_the_gap() -> None:
    timing = understand(Wish(at="2027-03-28T02:30"), now=NOW, zone=BERLIN)
    instant = next_instant(timing, after=NOW)
    assert instant is not None
    assert instant.at == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
