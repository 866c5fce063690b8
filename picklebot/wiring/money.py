"""Money as the daemon keeps it: today's purses as its store remembers them, and who may lift them. Knows no turn."""

from datetime import datetime

from picklebot.agent.purses import DAEMON, Purses, SpentToday
from picklebot.clock import Clock, midnight
from picklebot.config import Config
from picklebot.core.source import Source
from picklebot.definitions.library import Library
from picklebot.jobs.heartbeat import CHANNEL as HEARTBEAT
from picklebot.store.base import Ledger, Refusals
from picklebot.wiring.parts import Parts
from picklebot.wiring.stage import now_in
from picklebot.workers.budgets import BudgetCommands


async def open_purses(config: Config, clock: Clock, parts: Parts) -> Purses:
    """Return the purses of a daemon, with what was spent and lifted today."""
    now = now_in(config, clock)
    today = await spent_today(parts.store.ledger, parts.store.refusals, now())
    return Purses(
        config.limits.day_usd, now=now, today=today, job_budget=lambda job: _of_job(config, parts.library, job)
    )


def _of_job(config: Config, library: Library, job: Source) -> float | None:
    """Return what a job's CRON.md allows for a day, and the settings a heartbeat."""
    if job.channel == HEARTBEAT:
        return config.heartbeat.day_usd
    spec = library.crons.get(":".join(job.parts)) if job.channel == "cron" else None
    return spec.budget.day_usd if spec else None


def budget_commands(config: Config, clock: Clock, parts: Parts, purses: Purses) -> BudgetCommands:
    """Return the commands about money."""
    return BudgetCommands(
        bus=parts.bus,
        purses=purses,
        ledger=parts.store.ledger,
        refusals=parts.store.refusals,
        now=now_in(config, clock),
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
