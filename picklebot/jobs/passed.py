"""The instants of a job that have passed, in bounded memory.

Promises the newest ones and the number of those before. Knows no job and no policy.
"""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from picklebot.jobs.timing import Instant, Timing, instants


@dataclass(frozen=True, slots=True, kw_only=True)
class Passed:
    """Instants in the order of their moments. `earlier` counts those before the first one here."""

    instants: Sequence[Instant] = ()
    earlier: int = 0


def passed(timing: Timing, *, after: datetime, now: datetime, most: int) -> Passed:
    """Return the instants after one moment and up to another, the newest `most` of them."""
    earlier = 0
    if timing.every is not None and timing.anchor is not None:  # may be a great many, and they can be counted
        span, anchor = timedelta(seconds=timing.every), timing.anchor.astimezone(UTC)
        before, last = max((after - anchor) // span, 0), max((now - anchor) // span, 0)
        earlier = max(last - before - most, 0)
        after = max(after, anchor + (before + earlier) * span) if earlier else after
    kept: deque[Instant] = deque(maxlen=most)
    for instant in instants(timing, after=after):
        if instant.at > now:
            break
        earlier += len(kept) == most
        kept.append(instant)
    return Passed(instants=tuple(kept), earlier=earlier)
