"""The slash commands about money: what was spent, what is left, and the owner's word that more may be spent today.

Promises that a lift is on disk before it has an effect, and that whoever waits for it goes on at once. Knows no
platform and no SQL.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Protocol

from picklebot.agent.purses import Purses
from picklebot.clock import midnight
from picklebot.core.bus import EventBus
from picklebot.core.source import Source
from picklebot.store.base import Ledger, Refusals, external_among, total
from picklebot.workers.commands import Command
from picklebot.workers.loops import KEY

logger = logging.getLogger(__name__)

NOTHING = "No turn waits for money."


class Resuming(Protocol):
    """Holds conversations back, under names of their own."""

    def resume(self, key: str) -> None:
        """Let one go on."""
        ...


class BudgetCommands:
    """Answers /usage, and carries out what the owner says to a budget."""

    def __init__(
        self,
        *,
        bus: EventBus,
        purses: Purses,
        ledger: Ledger,
        refusals: Refusals,
        now: Callable[[], datetime],
        loops: Resuming,
    ) -> None:
        """`now` returns the moment in the user's own time zone."""
        self._bus = bus
        self._purses = purses
        self._ledger = ledger
        self._refusals = refusals
        self._now = now
        self._loops = loops

    def table(self) -> Mapping[str, Command]:
        """Return the commands by name."""
        commands = [
            Command("usage", "", "Tokens and cost, and what is left of today's budgets.", self._usage),
        ]
        return {command.name: command for command in commands}

    async def waiting(self) -> Mapping[str, str]:
        """Return the budgets that turns wait for, and how many do, in words."""
        found = await self._refusals.waiting(self._now())
        return {each.budget: f"{each.turns} turn{'' if each.turns == 1 else 's'}" for each in found}

    async def lift(self, budget: str, *, by: Source) -> str:
        """Let a day's budget hold once more for today; return what that did, in words.

        Done again while nothing waits for that budget, it has no effect.
        """
        woken = await self._refusals.lift(budget, by=by, at=self._now())
        if not woken:
            return NOTHING
        self._purses.lift(budget)
        self._loops.resume(budget)
        logger.info("the budget %s was lifted for today by %s", budget, by)
        for event in woken:
            await self._bus.publish(event)  # a doorbell: these messages are not new
        turns = "1 turn goes" if len(woken) == 1 else f"{len(woken)} turns go"
        if budget.startswith(KEY):
            return f"I answer there again; {turns} on now."
        return f"The budget `{budget}` holds once more today; {turns} on now. At midnight it is what it was."

    async def _usage(self, source: Source, argument: str) -> str:
        now = self._now()
        spent = [await self._sum("Today", midnight(now)), await self._sum("30 days", midnight(now, days=-29))]
        return "\n".join([*spent, *self._left()])

    def _left(self) -> Iterator[str]:
        for purse in self._purses.days:
            left = max(0.0, purse.ceiling - purse.spent)
            yield f"- {purse.name[0].upper()}{purse.name[1:]}: ${left:.4f} left of ${purse.ceiling:.2f}"

    async def _sum(self, title: str, since: datetime) -> str:
        by_model = await self._ledger.spend("model", since=since)
        spent, external = total(title, by_model), external_among(by_model)
        note = f" ({spent.unpriced - external} calls without a known price)" if spent.unpriced > external else ""
        note += (
            f" ({external} of the calls are messages of external agents, whose spend is not known)" if external else ""
        )
        read = f"{spent.usage.context_tokens:,} tokens in ({spent.cached_share:.0%} from the cache)"
        return f"- {title}: {spent.calls} calls, {read}, {spent.usage.output_tokens:,} out, ${spent.cost_usd:.4f}{note}"
