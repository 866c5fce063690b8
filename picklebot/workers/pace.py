"""How fast guests may talk: each by themselves, and all together.

Promises that one who talks too fast takes nothing from the others. Knows no platform.
"""

from collections import OrderedDict
from dataclasses import dataclass

from picklebot.clock import Clock
from picklebot.errors import TooFast

REMEMBERED = 1_000  #: guests whose pace is known; those who were silent longest are forgotten first


@dataclass(slots=True)
class _Bucket:
    """What may be said at once, and when that was last so. It fills up again in a minute."""

    left: float
    at: float

    def wait(self, now: float, most: int) -> float:
        """Return for how many seconds the next message has to wait."""
        self.left = min(most, self.left + (now - self.at) * most / 60.0)
        self.at = now
        return 0.0 if self.left >= 1.0 else (1.0 - self.left) * 60.0 / most


class Pace:
    """Holds guests to `each` messages a minute, and to `together` of all."""

    def __init__(self, clock: Clock, *, each: int, together: int) -> None:
        self._clock = clock
        self._each = each
        self._together = together
        self._guests: OrderedDict[str, _Bucket] = OrderedDict()
        self._all = _Bucket(left=together, at=clock.monotonic())

    def count(self, guest: str) -> None:
        """Count a message.

        Raises:
            TooFast: it came too soon after others, and is not taken.
        """
        now = self._clock.monotonic()
        own = self._guests.setdefault(guest, _Bucket(left=self._each, at=now))
        self._guests.move_to_end(guest)
        if len(self._guests) > REMEMBERED:
            self._guests.popitem(last=False)
        seconds = max(own.wait(now, self._each), self._all.wait(now, self._together))
        if seconds:
            raise TooFast(
                f"too many messages at once; the next one can be taken in {seconds:.0f} s", retry_after=seconds
            )
        own.left -= 1
        self._all.left -= 1
