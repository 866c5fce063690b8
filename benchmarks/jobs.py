"""What it costs to know which job is due, of many: the first time, when one is taken out, and when nothing happens.

All figures are time of the processor. Beside them stands what is done without a timetable: each minute, every job is
asked whether this is its minute. One job in a hundred has an expression of its own, as where many write the same kinds.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from time import process_time
from typing import Any
from zoneinfo import ZoneInfo

import croniter  # type: ignore[import-untyped]  # pyright: ignore[reportMissingTypeStubs]  # has no types

from benchmarks.rows import Bar, Row, Scale
from picklebot.definitions.patterns import pattern
from picklebot.jobs.timetable import Timetable
from picklebot.jobs.timing import Timing, next_instant

NOW = datetime(2026, 11, 21, 9, 30, 30, tzinfo=UTC)
ZONES = ("America/New_York", "Europe/Berlin", "Asia/Kolkata", "Australia/Sydney")
SOONEST = Bar(most=1000)  #: us
TOGETHER = 1_000  #: calls that are timed together
MATCHING = "croniter match, each minute"
_MATCH: Any = croniter.croniter.match


def run(scale: Scale) -> list[Row]:
    """Measure with ever more jobs."""
    return [row for jobs in ((1_000, 10_000, 100_000) if not scale.quick else (100,)) for row in _rows(jobs)]


def _rows(jobs: int) -> list[Row]:
    timings = made(jobs)
    pattern.cache_clear()
    began = process_time()
    table = built(timings)
    took = process_time() - began
    matched = _matching(timings[: min(jobs, 2_000)]) * jobs
    case = f"{jobs:,} jobs"

    def row(what: str, seconds: float, bar: Bar | None = None, other: float | None = None) -> Row:
        beside = MATCHING if other is not None else ""
        micro = None if other is None else other * 1e6
        return Row(
            bench="jobs", case=case, what=what, figure=seconds * 1e6, unit="us", beside=beside, other=micro, bar=bar
        )

    return [
        Row(bench="jobs", case=case, what="all next instants, once", figure=took * 1000, unit="ms"),
        row("soonest: all that a quiet minute costs", _soonest(table), SOONEST, matched),
        row("a job moved, and the soonest", _changing(table, jobs), SOONEST),
        row("a job taken out and put back", _taken(table, timings)),
    ]


def made(jobs: int) -> list[Timing]:
    """Return so many schedules, the same every time."""
    rng = random.Random(jobs)
    kinds = [
        rng.choice(
            (
                f"{rng.randrange(60)} {rng.randrange(24)} * * *",
                f"{rng.randrange(60)} {rng.randrange(24)} * * 1-5",
                f"{rng.randrange(60)} {rng.randrange(24)} * * {rng.randrange(7)}",
                f"{rng.randrange(60)} {rng.randrange(24)} {rng.randrange(1, 29)} * *",
                f"*/{rng.choice((5, 10, 15, 20, 30))} * * * *",
            )
        )
        for _ in range(max(1, jobs // 100))
    ]
    return [Timing(zone=ZoneInfo(rng.choice(ZONES)), cron=rng.choice(kinds)) for _ in range(jobs)]


def built(timings: Sequence[Timing]) -> Timetable:
    """Return a timetable of all of them."""
    table = Timetable()
    for number, timing in enumerate(timings):
        instant = next_instant(timing, after=NOW)
        if instant is not None:
            table.put(f"job-{number}", instant.at)
    return table


def _matching(timings: Sequence[Timing]) -> float:
    """Return the seconds that one job costs each minute where all are asked."""
    began = process_time()
    for timing in timings:
        _MATCH(timing.cron, NOW.astimezone(timing.zone))
    return (process_time() - began) / len(timings)


def _soonest(table: Timetable) -> float:
    def once() -> float:
        began = process_time()
        for _ in range(TOGETHER):
            table.soonest()
        return (process_time() - began) / TOGETHER

    return median(once() for _ in range(20))


def _changing(table: Timetable, jobs: int) -> float:
    """Return the seconds for a job that is moved, after which the soonest is asked for."""
    began = process_time()
    for number in range(TOGETHER):
        table.put(f"job-{number % jobs}", NOW + timedelta(seconds=number))
        table.soonest()
    return (process_time() - began) / TOGETHER


def _taken(table: Timetable, timings: Sequence[Timing]) -> float:
    """Return the seconds for a job that is due: taken out, its next instant found, put back."""
    now, fired, began = NOW, 0, process_time()
    while fired < min(len(timings), 10_000):
        now += timedelta(minutes=1)
        for job in table.due(now):
            instant = next_instant(timings[int(job.removeprefix("job-"))], after=now)
            if instant is not None:
                table.put(job, instant.at)
            fired += 1
    return (process_time() - began) / fired
