"""Money: reserve the worst case before a call, settle what it cost after.

Promises that what is settled and what is reserved never pass the day's ceiling together. Knows prices only as
numbers, and no store: today's spend is given to it at the start.
"""

from collections.abc import Callable
from datetime import date

from picklebot.errors import LimitReached


class DayBudget:
    """What the daemon may still spend today, in USD."""

    def __init__(self, ceiling: float, *, today: Callable[[], date], spent: float = 0.0) -> None:
        self.ceiling = ceiling
        self._today = today
        self._day = today()
        self._spent = spent
        self._reserved = 0.0

    @property
    def spent(self) -> float:
        """What today's calls have cost so far."""
        self._turn_page()
        return self._spent

    def reserve(self, worst: float) -> None:
        """Set aside what a call may cost at most.

        Raises:
            LimitReached: it might pass the ceiling.
        """
        self._turn_page()
        if self._spent + self._reserved + worst > self.ceiling:
            raise LimitReached(
                f"today's budget of ${self.ceiling:.2f} is used up (${self._spent:.2f} spent); "
                "it starts again at midnight, or raise limits.day_usd"
            )
        self._reserved += worst

    def settle(self, worst: float, actual: float) -> None:
        """Give back what was set aside and count what was spent."""
        self._turn_page()
        self._reserved = max(0.0, self._reserved - worst)
        self._spent += actual

    def _turn_page(self) -> None:
        if (day := self._today()) != self._day:
            self._day, self._spent = day, 0.0
