"""What becomes of the instants of 42 hours in which nobody was there."""

from datetime import UTC, datetime, timedelta
from itertools import takewhile
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.definitions.crons import Missed
from picklebot.jobs.missed import divide
from picklebot.jobs.timing import Instant, Timing, instants

DOWN = datetime(2026, 3, 27, 15, 20, tzinfo=UTC)
UP = DOWN + timedelta(hours=42)  # 11:20 in Berlin, on the morning after its clocks changed
BERLIN = ZoneInfo("Europe/Berlin")


def passed(expression: str) -> list[Instant]:
    found = instants(Timing(zone=BERLIN, cron=expression), after=DOWN)
    return list(takewhile(lambda instant: instant.at <= UP, found))


SIX_HOURLY = [f"2026-03-{day}" for day in ("27T18:00", "28T00:00", "28T06:00", "28T12:00", "28T18:00", "29T00:00")]


@pytest.mark.parametrize(
    ("policy", "expression", "late", "missed"),
    [
        (Missed("skip"), "0 */6 * * *", 0, 7),
        (Missed("once"), "0 */6 * * *", 1, 6),
        (Missed("all"), "0 */6 * * *", 7, 0),
        (Missed("within", 6 * 3600), "0 */6 * * *", 1, 6),
        (Missed("within", 5 * 3600), "0 */6 * * *", 0, 7),
        (Missed("within", 42 * 3600), "0 */6 * * *", 1, 6),
        (Missed("once"), "30 2 * * *", 1, 1),
        (Missed("once"), "0 20 * * 1", 0, 0),
        (Missed("all"), "0 20 * * 1", 0, 0),
        (Missed("within", 3600), "0 20 * * 1", 0, 0),
    ],
)
def test_each_policy_does_what_it_says_after_42_hours(policy: Missed, expression: str, late: int, missed: int) -> None:
    instants = passed(expression)
    assert divide(policy, instants, now=UP) == (instants[missed:], instants[:missed])
    assert len(instants) == late + missed


def test_the_newest_is_the_one_that_is_begun_late_and_the_spring_night_counts() -> None:
    found = passed("0 */6 * * *")
    assert [instant.wall for instant in found] == [*SIX_HOURLY, "2026-03-29T06:00"]
    [late], missed = divide(Missed("once"), found, now=UP)
    assert late.at == datetime(2026, 3, 29, 4, tzinfo=UTC)
    assert [instant.wall for instant in missed] == SIX_HOURLY
    assert passed("30 2 * * *")[-1].wall == "2026-03-29T03:00"


@pytest.mark.parametrize(("seconds", "late"), [(1799.0, 0), (1800.0, 1), (1801.0, 1)])
def test_within_counts_from_the_moment_of_the_newest(seconds: float, late: int) -> None:
    found = passed("*/30 * * * *")
    now = found[-1].at + timedelta(minutes=30)
    assert len(divide(Missed("within", seconds), found, now=now)[0]) == late


WORDS = st.sampled_from([Missed("skip"), Missed("once"), Missed("all")])
POLICIES = WORDS | st.floats(0, 1e6).map(lambda seconds: Missed("within", seconds))


@given(POLICIES, st.sets(st.integers(0, 42 * 60)))
def test_every_instant_is_either_begun_late_or_missed_and_only_the_newest_are_late(
    policy: Missed, minutes: set[int]
) -> None:
    found = [Instant(DOWN + timedelta(minutes=n), str(n)) for n in sorted(minutes)]
    late, missed = divide(policy, found[::-1], now=UP)
    assert [*missed, *late] == found
