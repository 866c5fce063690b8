"""What `picklebot.jobs` says beside what the oracle says."""

from datetime import datetime
from itertools import takewhile
from zoneinfo import ZoneInfo

from picklebot.jobs.timing import Timing, instants
from tests.jobs.oracle import CASES, due, runs


def compare(name: str, start: datetime, end: datetime) -> tuple[int, list[str]]:
    """Return how many instants of all cases a zone has between two moments, and where the two do not agree."""
    zone = ZoneInfo(name)
    clocks = runs(zone, start, end)
    total, wrong = 0, []
    for case in CASES:
        expected = due(case, clocks, start, end)
        timing = Timing(zone=zone, cron=case.expression)
        given = takewhile(lambda instant: instant.at < end, instants(timing, after=start))
        found = [(int(instant.at.timestamp()), instant.wall) for instant in given]
        total += len(expected)
        if found != expected:
            odd = sorted(set(found) ^ set(expected))
            wrong.append(f"{name} {case.expression}: {len(odd)} differ, first {odd[:1]}")
    return total, wrong
