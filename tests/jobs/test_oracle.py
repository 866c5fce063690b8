"""The short form of `python -m tests.campaign --only schedules`."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import croniter  # type: ignore[import-untyped]  # has no types
import pytest

from tests.jobs.comparing import compare
from tests.jobs.oracle import CASES, DAY, FIRST, changes, due, runs, zones

START, END = datetime(FIRST, 1, 1, tzinfo=UTC), datetime(FIRST + 1, 1, 1, tzinfo=UTC)


@pytest.mark.timeout(180)
def test_every_instant_around_every_clock_change_is_as_the_oracle_says() -> None:
    looked_at = 0
    wrong: list[str] = []
    names = zones(200)
    for name in names:
        for day in changes(ZoneInfo(name), START, END):
            found, odd = compare(name, day - DAY / 4, day + 1.25 * DAY)
            looked_at += found
            wrong += odd
    assert wrong == []
    assert len(names) == 200
    assert looked_at > 50_000


@pytest.mark.parametrize("name", ["Europe/Berlin", "Asia/Tehran", "America/Asuncion"])
def test_every_instant_of_four_months_is_as_the_oracle_says(name: str) -> None:
    found, wrong = compare(name, START, START + 120 * DAY)
    assert wrong == []
    assert found > 25_000


def test_the_oracle_sees_what_croniter_does_twice() -> None:
    start = datetime(2026, 10, 31, 12, tzinfo=UTC)
    zone = ZoneInfo("America/New_York")
    case = next(each for each in CASES if each.expression == "30 1 * * *")
    walk = croniter.croniter(case.expression, start.astimezone(zone))
    theirs = [int(walk.get_next(float)) for _ in range(3)]
    ours = [second for second, _ in due(case, runs(zone, start, start + 3 * DAY), start, start + 3 * DAY)]
    assert theirs[0] == ours[0]
    assert theirs[1] == ours[0] + 3600
    assert theirs[2] == ours[1]
