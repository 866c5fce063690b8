"""Purses: ceilings on money, from which the worst case of a call is set aside before it is made.

Promises that what was spent and what is set aside never pass a ceiling together, as long as no call costs more than
its worst case; and that a day's purse is empty of yesterday after local midnight. Knows prices only as numbers.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime

from picklebot.agent.asking import Parked
from picklebot.clock import midnight
from picklebot.errors import LimitReached


class Withheld(Parked):
    """Something with a name, `budget`, holds the turn back until the owner lifts it, or until its time has come."""

    once = False  #: whether it is told once for all that it holds back, in whichever session

    def __init__(self, message: str, *, until: datetime, budget: str, tag: str) -> None:
        """`tag` is the same for what is refused for the same reason: it is told once."""
        super().__init__(message, until=until)
        self.budget = budget
        self.tag = tag


class DaySpent(Withheld):
    """A day's budget does not bear the next call: the turn goes on after midnight, or once the owner lifts it."""

    @property
    def notice(self) -> str:
        """What the user reads."""
        return f"I have to wait: {self}. I go on after midnight, or as soon as the owner lifts it with /approve."


class Purse:
    """A ceiling, what was spent of it, and what is set aside for calls in flight, in USD.

    `name` stands in front of "of $1.00" in words: "the turn's budget".
    """

    def __init__(self, name: str, ceiling: float, *, spent: float = 0.0) -> None:
        self.name = name
        self._ceiling = ceiling
        self._spent = spent
        self._reserved = 0.0
        self._waiting: set[asyncio.Future[None]] = set()

    @property
    def ceiling(self) -> float:
        """What may be spent at most."""
        return self._ceiling

    @property
    def spent(self) -> float:
        """What was spent."""
        return self._spent

    def bears(self, worst: float) -> bool:
        """Return whether a call may be made now; False says that it may when calls in flight have been settled.

        What costs nothing may always be made.

        Raises:
            LimitReached, DaySpent: it might pass the ceiling, however little the calls in flight cost.
        """
        if not worst or self.spent + self._reserved + worst <= self.ceiling:
            return True
        if self.spent + worst > self.ceiling:
            raise self._refusal(worst)
        return False

    def reserve(self, worst: float) -> None:
        """Set aside what a call may cost at most, after every purse of the turn was asked whether it bears it."""
        self._reserved += worst

    def settle(self, worst: float, actual: float) -> None:
        """Give back what was set aside, and count what was spent, also where that is more."""
        self._reserved = max(0.0, self._reserved - worst)
        self._spent += actual
        self._wake()

    def count(self, cost: float) -> None:
        """Count what was spent elsewhere: before a restart, or by a turn that this purse also pays for."""
        self._spent += cost

    async def changed(self) -> None:
        """Wait until something is settled here, or the ceiling moves."""
        waiting = asyncio.get_running_loop().create_future()
        self._waiting.add(waiting)
        try:
            await waiting
        finally:
            self._waiting.discard(waiting)

    def _refusal(self, worst: float) -> LimitReached | DaySpent:
        return LimitReached(f"its next step could pass {self.name} of ${self.ceiling:.2f} (${self.spent:.2f} spent)")

    def _wake(self) -> None:
        for waiting in self._waiting:
            if not waiting.done():
                waiting.set_result(None)


class DayPurse(Purse):
    """A purse that is full again each local midnight. `key` names it: "day", "agent:pickle", "cron:brief".

    The owner may lift it: for the rest of the day the ceiling holds once more.
    """

    def __init__(
        self,
        key: str,
        name: str,
        ceiling: float,
        *,
        now: Callable[[], datetime],
        waits: bool = True,
    ) -> None:
        """`now` returns the moment in the user's own time zone. Without `waits` what is refused ends its turn."""
        super().__init__(name, ceiling)
        self.key = key
        self._now = now
        self._day = now().date()
        self._lifts = 0
        self._waits = waits

    @property
    def ceiling(self) -> float:
        """What may be spent today at most, with what the owner added."""
        self._turn_page()
        return self._ceiling * (1 + self._lifts)

    @ceiling.setter
    def ceiling(self, ceiling: float) -> None:
        """Change it, because a file was changed; it holds from the next call on."""
        if ceiling != self._ceiling:
            self._ceiling = ceiling
            self._wake()

    @property
    def spent(self) -> float:
        """What today's calls have cost so far."""
        self._turn_page()
        return self._spent

    def lift(self) -> None:
        """Let the ceiling hold once more for today."""
        self._turn_page()
        self._lifts += 1
        self._wake()

    def recall(self, spent: float, lifts: int) -> None:
        """Count what was spent and lifted today before the start."""
        self._spent += spent
        self._lifts += lifts

    def settle(self, worst: float, actual: float) -> None:
        """Give back what was set aside, and count what was spent to the day on which it is known."""
        self._turn_page()
        super().settle(worst, actual)

    def count(self, cost: float) -> None:
        """Count what was spent elsewhere."""
        self._turn_page()
        super().count(cost)

    def _refusal(self, worst: float) -> LimitReached | DaySpent:
        ceiling, spent = self.ceiling, self.spent
        if worst > ceiling:  # no day will do: to wait for midnight would be to wait for ever
            return LimitReached(
                f"its next step could cost ${worst:.2f}, more than {self.name} of ${ceiling:.2f} for a whole day; "
                "raise that budget, or lower max_tokens"
            )
        words = f"{self.name} of ${ceiling:.2f} is used up (${spent:.2f} spent)"
        if not self._waits:
            return LimitReached(words)
        now = self._now()
        return DaySpent(words, until=midnight(now, days=1), budget=self.key, tag=f"{now:%Y-%m-%d} {ceiling:.2f}")

    def _turn_page(self) -> None:
        if (day := self._now().date()) != self._day:
            self._day, self._spent, self._lifts = day, 0.0, 0
