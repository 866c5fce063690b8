"""Which purses a turn pays from: its own, today's of its agent, its job or its guest and the daemon, its callers'.

Promises one purse for one thing: whoever asks again is given the same one. Knows no store; what was spent today
before the start is given to it.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias
from weakref import WeakValueDictionary

from picklebot.agent.budget import DayPurse, Purse
from picklebot.core.source import Source

DAEMON = "day"  #: the key of the daemon's own day


@dataclass(frozen=True, slots=True, kw_only=True)
class DayBudget:
    """What may be spent in one day under a key such as "cron:brief"; `usd` is None where there is no ceiling.

    `name` stands in front of "of $1.00" in words.
    """

    key: str
    name: str
    usd: float | None


Beside: TypeAlias = Callable[[Source], Sequence[DayBudget]]
"""Returns what whoever asks pays from as well: a job has its own day, a guest too, and one with all other guests."""


def _nothing_beside(source: Source) -> Sequence[DayBudget]:
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SpentToday:
    """What today's calls have cost, and how often the owner lifted a budget today, by the key of the purse."""

    usd: Mapping[str, float] = field(default_factory=dict[str, float])
    lifts: Mapping[str, int] = field(default_factory=dict[str, int])


@dataclass(frozen=True, eq=False)
class TurnPurses:
    """What one turn pays from. `own` is its own ceiling; every call must fit all of `all`."""

    own: Purse
    all: Sequence[Purse]


class Purses:
    """Every purse of a daemon."""

    def __init__(
        self,
        day_usd: float,
        *,
        now: Callable[[], datetime],
        today: SpentToday | None = None,
        beside: Beside = _nothing_beside,
    ) -> None:
        """`now` returns the moment in the user's own time zone."""
        self._now = now
        self._today = today or SpentToday()
        self._start = now().date()
        self._beside = beside
        self._days: dict[str, DayPurse] = {}
        self._turns: WeakValueDictionary[str, TurnPurses] = WeakValueDictionary()
        self._daemon = self._day(DAEMON, "today's budget", day_usd)

    def open(
        self,
        turn_id: str,
        *,
        source: Source,
        agent_id: str,
        turn_usd: float,
        agent_day_usd: float | None = None,
        callers: Iterable[str] = (),
    ) -> TurnPurses:
        """Return what a turn pays from; of the turns in `callers` all that they pay from, where they still run.

        A turn's purses are there for as long as somebody holds what this returned.
        """
        own = Purse("the turn's budget", turn_usd)
        agent = self._day(f"agent:{agent_id}", f"today's budget of the agent {agent_id}", agent_day_usd)
        beside = [self._day(budget.key, budget.name, budget.usd) for budget in self._beside(source)]
        found = [own, agent, *beside, self._daemon]
        for caller in callers:
            if (purses := self._turns.get(caller)) is not None:
                found += [purse for purse in purses.all if purse not in found]
        self._turns[turn_id] = purses = TurnPurses(own, found)
        return purses

    def lift(self, key: str) -> None:
        """Let the day's budget called `key` hold once more for today."""
        if (purse := self._days.get(key)) is not None:
            purse.lift()

    @property
    def days(self) -> Sequence[DayPurse]:
        """Today's budgets that have a ceiling, the daemon's first."""
        return [purse for purse in self._days.values() if purse.ceiling < math.inf]

    def _day(self, key: str, name: str, ceiling: float | None) -> DayPurse:
        """Return a day's purse, made also where there is no ceiling: one may be written while a turn runs."""
        ceiling = math.inf if ceiling is None else ceiling
        purse = self._days.get(key)
        if purse is None:
            # What looks around unasked is not worth catching up on, and would hold up the session that it looks from.
            waits = not key.startswith("heartbeat:")
            purse = self._days[key] = DayPurse(key, name, ceiling, now=self._now, waits=waits)
            if self._now().date() == self._start:
                purse.recall(self._today.usd.get(key, 0.0), self._today.lifts.get(key, 0))
        purse.ceiling = ceiling
        return purse
