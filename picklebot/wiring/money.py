"""Money as the daemon keeps it: what was spent today before it started. Knows no turn."""

from datetime import datetime

from picklebot.agent.purses import DAEMON, SpentToday
from picklebot.clock import midnight
from picklebot.store.base import Ledger


async def spent_today(ledger: Ledger, now: datetime) -> SpentToday:
    """Return what model calls have cost since midnight where `now` is told, by the purse they were paid from."""
    since = midnight(now)
    agents = await ledger.spend("agent", since=since)
    jobs = await ledger.spend("cron", since=since)
    usd = {DAEMON: sum(row.cost_usd for row in agents)}
    usd |= {f"agent:{row.key}": row.cost_usd for row in agents}
    usd |= {row.key: row.cost_usd for row in jobs if row.key}
    return SpentToday(usd=usd)
