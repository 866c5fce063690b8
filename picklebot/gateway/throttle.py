"""How often somebody may be wrong: a bucket for each address, and one for all of them.

Promises a bound on what is remembered, and that a right answer is never held up by somebody else's wrong ones. Knows no
token.
"""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

EACH, ALL = 10, 100  #: wrong tries in a row that are answered as such, of one address and of all
PER_MINUTE_EACH, PER_MINUTE_ALL = 10.0, 100.0  #: how many of them come back
REMEMBERED = 1024  #: addresses


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Throttle:
    """Counts failures. `now` returns seconds that only go up."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._all = _Bucket(ALL, now())
        self._each: OrderedDict[str, _Bucket] = OrderedDict()

    def fail(self, address: str) -> float | None:
        """Count a failure; return for how many seconds this address is not to try again, None while it may."""
        own = self._each.pop(address, None) or _Bucket(EACH, self._now())
        self._each[address] = own
        if len(self._each) > REMEMBERED:
            self._each.popitem(last=False)
        waits = [
            self._take(own, EACH, PER_MINUTE_EACH / 60),
            self._take(self._all, ALL, PER_MINUTE_ALL / 60),
        ]
        longest = max(waits)
        return longest if longest > 0 else None

    def _take(self, bucket: _Bucket, most: float, per_second: float) -> float:
        now = self._now()
        bucket.left = min(most, bucket.left + (now - bucket.at) * per_second)
        bucket.at = now
        if bucket.left >= 1:
            bucket.left -= 1
            return 0.0
        return (1 - bucket.left) / per_second
