"""Money as the daemon keeps it: today's purses as its store remembers them, and who may lift them. Knows no turn."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime

from picklebot.agent.purses import DAEMON, DayBudget, Purses, SpentToday
from picklebot.clock import Clock, midnight
from picklebot.config import Config
from picklebot.core.people import speaker
from picklebot.core.source import Source
from picklebot.definitions.library import Library
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.store.base import Ledger, Refusals, Spend
from picklebot.wiring.parts import Parts
from picklebot.wiring.stage import now_in
from picklebot.workers.budgets import BudgetCommands
from picklebot.workers.loops import LoopBreaker

GUESTS = "guests"  #: the key of what all guests spend together


async def open_purses(config: Config, clock: Clock, parts: Parts) -> Purses:
    """Return the purses of a daemon, with what was spent and lifted today."""
    now = now_in(config, clock)
    today = await spent_today(parts.store.ledger, parts.store.refusals, now())
    today = with_guests(today, await parts.store.ledger.spend("person", since=midnight(now())), parts.people.is_guest)

    def beside(source: Source) -> Sequence[DayBudget]:
        if source.is_job:
            usd = _of_job(config, parts.library, source)
            return [DayBudget(key=str(source), name=f"today's budget of the job {source}", usd=usd)]
        return _of_guest(config, source) if parts.people.is_guest(source) else ()

    return Purses(config.limits.day_usd, now=now, today=today, beside=beside)


def with_guests(today: SpentToday, people: Sequence[Spend], is_guest: Callable[[Source], bool]) -> SpentToday:
    """Return what was spent today, with the part of it that guests spent: each by themselves, and all together."""
    guests = {row.key: row.cost_usd for row in people if row.key and is_guest(Source.parse(row.key))}
    usd = {**today.usd, **{f"guest:{key}": cost for key, cost in guests.items()}, GUESTS: sum(guests.values())}
    return replace(today, usd=usd)


def _of_guest(config: Config, source: Source) -> Sequence[DayBudget]:
    """Return what one guest may spend in a day, wherever they speak, and what all may together."""
    guest = speaker(source)
    own = DayBudget(key=f"guest:{guest}", name=f"today's budget of the guest {guest}", usd=config.limits.guest_day_usd)
    return [own, DayBudget(key=GUESTS, name="today's budget of all guests", usd=config.limits.guests_day_usd)]


def _of_job(config: Config, library: Library, job: Source) -> float | None:
    """Return what a job's CRON.md allows for a day, and the settings a heartbeat."""
    if job.channel == HEARTBEAT:
        return config.heartbeat.day_usd
    spec = library.crons.get(":".join(job.parts)) if job.channel == "cron" else None
    return spec.budget.day_usd if spec else None


def budget_commands(config: Config, clock: Clock, parts: Parts, purses: Purses, loops: LoopBreaker) -> BudgetCommands:
    """Return the commands about money."""
    return BudgetCommands(
        bus=parts.bus,
        purses=purses,
        ledger=parts.store.ledger,
        refusals=parts.store.refusals,
        now=now_in(config, clock),
        loops=loops,
    )


async def spent_today(ledger: Ledger, refusals: Refusals, now: datetime) -> SpentToday:
    """Return what model calls have cost since midnight where `now` is told, by the purse they were paid from."""
    since = midnight(now)
    agents = await ledger.spend("agent", since=since)
    jobs = await ledger.spend("cron", since=since)
    usd = {DAEMON: sum(row.cost_usd for row in agents)}
    usd |= {f"agent:{row.key}": row.cost_usd for row in agents}
    usd |= {row.key: row.cost_usd for row in jobs if row.key}
    return SpentToday(usd=usd, lifts=await refusals.lifts(since))
