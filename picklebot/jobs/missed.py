"""What becomes of the instants that passed while nobody was there to begin them.

Promises that each of them is in exactly one of two lists. Knows no job and no store.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import assert_never

from picklebot.definitions.crons import Missed
from picklebot.jobs.timing import Instant


def divide(policy: Missed, passed: Sequence[Instant], *, now: datetime) -> tuple[list[Instant], list[Instant]]:
    """Return which of the instants that passed are begun late, and which are missed, each in the order of their moments.

    `skip` begins none, `once` the newest alone, however old it is, and `all` every one. `within` begins the newest
    alone, and only if at most that many seconds have passed since its moment.
    """
    ordered = sorted(passed, key=lambda instant: instant.at)
    match policy.policy:
        case "skip":
            late = 0
        case "once":
            late = 1
        case "all":
            late = len(ordered)
        case "within":
            late = int(bool(ordered) and now - ordered[-1].at <= timedelta(seconds=policy.seconds))
        case _:
            assert_never(policy.policy)
    kept = max(len(ordered) - late, 0)
    return ordered[kept:], ordered[:kept]
