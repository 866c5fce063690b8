"""How often a job is due at its busiest.

Promises bounded work: at most a few milliseconds, whatever the schedule. Knows no job and no limit but `FREQUENT`.
"""

from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from math import ceil

from picklebot.jobs.timing import Timing, instants

FREQUENT = 4  #: instants in an hour; a job that has more needs a gate, or the owner's consent if an agent made it
_HOUR = timedelta(hours=1)
_FULLEST = 60  #: a cron expression has no more minutes
_LOOKED_AT = 1_000  #: instants; the hours of a day and its midnight are among them


def most_in_an_hour(timing: Timing, *, start: datetime) -> int:
    """Return the most instants that sixty minutes after `start` hold; of an expression, its next thousand count.

    Every day that an expression names has the same times, so its busiest hour comes early. Clock changes are left out:
    a job is not a frequent one for the night on which two hours meet.
    """
    if timing.every is not None:
        return ceil(_HOUR / timedelta(seconds=timing.every))
    most = 0
    hour: deque[datetime] = deque()
    for instant in islice(instants(replace(timing, zone=UTC), after=start), _LOOKED_AT):
        hour.append(instant.at)
        while instant.at - hour[0] >= _HOUR:
            hour.popleft()
        most = max(most, len(hour))
        if most == _FULLEST:
            break
    return most
