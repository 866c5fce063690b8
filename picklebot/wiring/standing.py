"""How a workspace stands at one moment: for `picklebot status`, and for the gateway's `/api/status`.

Promises the keys that interfaces rely on, also where nothing runs and nothing ever ran. Knows no terminal and no wire.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from picklebot import __version__
from picklebot.clock import midnight, zone_named
from picklebot.config import Config
from picklebot.core.people import Knock
from picklebot.core.proposals import Proposal
from picklebot.definitions.library import Library
from picklebot.lock import Holder
from picklebot.shapes import knock_json, proposal_json
from picklebot.store.base import Counts
from picklebot.store.sqlite import SqliteStore
from picklebot.wiring.channels import enabled_channels
from picklebot.wiring.upcoming import Upcoming, jobs_of, next_jobs

_NOTHING = Counts(accepted=0, done=0, failed=0, dead=0, open=0, running=0, undelivered=0, dead_replies=0)
_PLACED = re.compile(r"(?P<file>.+?):(?:(?P<line>\d+):)? (?P<message>.*)", re.DOTALL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How things stand at one moment. `holder` is None where nothing runs."""

    now: datetime
    holder: Holder | None
    counts: Counts
    spent: float
    jobs: Sequence[Upcoming]
    proposals: Sequence[Proposal]
    strangers: Sequence[Knock]
    problems: Sequence[dict[str, Any]]

    @property
    def uptime(self) -> float | None:
        """Seconds since the holder began; None where nothing runs, or where it does not say."""
        try:
            started = datetime.fromisoformat(self.holder.started_at) if self.holder else None
        except ValueError:
            return None
        return max(0.0, (self.now - started).total_seconds()) if started and started.tzinfo else None

    def to_json(self) -> dict[str, Any]:
        """Return it for programs."""
        counts, holder = self.counts, self.holder
        return {
            "version": __version__,
            "pid": (holder.pid or None) if holder else None,
            "role": holder.role if holder else None,
            "url": holder.url if holder else None,
            "uptime_s": self.uptime,
            "open": counts.open,
            "running": counts.running if holder else 0,
            "undelivered": counts.undelivered,
            "dead": counts.dead + counts.dead_replies,
            "dead_messages": counts.dead,
            "dead_replies": counts.dead_replies,
            "accepted": counts.accepted,
            "done": counts.done,
            "failed": counts.failed,
            "spend_today_usd": self.spent,
            "next_jobs": [{"id": job.id, "agent": job.agent, "at": job.at.isoformat()} for job in self.jobs],
            "proposals": [proposal_json(proposal) for proposal in self.proposals],
            "strangers": [knock_json(knock) for knock in self.strangers],
            "problems": list(self.problems),
        }


async def standing_of(
    config: Config, library: Library, opened: SqliteStore | None, *, holder: Holder | None, now: datetime
) -> Standing:
    """Return how things stand; `opened` is None where nothing was ever written."""
    zone = zone_named(config.timezone)
    files = jobs_of(library.crons, zone=zone, default_agent=config.default_agent)
    counts, spent = await _sums(opened, midnight(now.astimezone(zone))) if opened else (_NOTHING, 0.0)
    jobs = await next_jobs(opened, files, now=now)
    problems = [_problem(p.path, p.line, p.message) for p in library.problems]
    return Standing(
        now=now,
        holder=holder,
        counts=counts,
        spent=spent,
        jobs=jobs if config.cron.enabled else [],
        proposals=await unanswered(opened, now) if opened else (),
        strangers=await opened.pairings.pending(now) if opened else (),
        problems=[
            *problems,
            *(_warning(text, config.workspace.config_file) for text in config.warnings),
            *(await _troubles(config, opened) if opened and holder else ()),
        ],
    )


async def unanswered(opened: SqliteStore, now: datetime) -> Sequence[Proposal]:
    """Return what waits for the owner's answer, and what was approved and is not known to be done."""
    return [*await opened.proposals.open(now), *await opened.proposals.unfinished(now)]


async def _troubles(config: Config, opened: SqliteStore) -> list[dict[str, Any]]:
    """Return that the disk is full, if it is, and the channels that are away now, each with the reason."""
    full = await opened.room.missing()
    away = [row for row in await opened.troubles.all() if row[0] in enabled_channels(config)]
    return [
        *([_problem(config.workspace.root, 0, f"no message is accepted: {full}")] if full else []),
        *(_problem(config.workspace.config_file, 0, f"channels.{name} is away: {words}") for name, words, _ in away),
    ]


async def _sums(opened: SqliteStore, since: datetime) -> tuple[Counts, float]:
    counts = await opened.ledger.counts()
    return counts, sum(row.cost_usd for row in await opened.ledger.spend("model", since=since))


def _problem(path: Path, line: int, message: str) -> dict[str, Any]:
    return {"file": str(path), "line": line, "message": message}


def _warning(text: str, default: Path) -> dict[str, Any]:
    if match := _PLACED.fullmatch(text):
        return _problem(Path(match["file"]), int(match["line"] or 0), match["message"])
    return _problem(default, 0, text)
