"""`picklebot status`: what runs, what waits, what failed, what was spent today.

Promises the keys that interfaces rely on, also where nothing runs and nothing ever ran.
"""

import asyncio
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from picklebot import __version__
from picklebot.cli.output import bold, counted, local, one_line, print_json, say
from picklebot.cli.proposals import shape, unanswered
from picklebot.cli.reading import reading
from picklebot.cli.upcoming import Upcoming, jobs_of, next_jobs
from picklebot.clock import SystemClock, midnight, zone_named
from picklebot.config import Config
from picklebot.core.proposals import Proposal, visible
from picklebot.definitions.library import Library
from picklebot.lock import Holder, holder_of
from picklebot.store.base import Counts
from picklebot.store.sqlite import SqliteStore

_NOTHING = Counts(accepted=0, done=0, failed=0, dead=0, open=0, running=0, undelivered=0, dead_replies=0)
_PLACED = re.compile(r"(?P<file>.+?):(?:(?P<line>\d+):)? (?P<message>.*)", re.DOTALL)
_SHOWN_JOBS = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How things stand at one moment."""

    now: datetime
    holder: Holder | None
    counts: Counts
    spent: float
    jobs: Sequence[Upcoming]
    proposals: Sequence[Proposal]
    problems: Sequence[dict[str, Any]]


def status(*, config: Config, as_json: bool) -> int:
    """Print how things stand; that nothing runs is an answer, not a failure."""
    snapshot = _take(config)
    if as_json:
        print_json(_shape(snapshot))
    else:
        for line in _lines(snapshot, config):
            say(line)
    return 0


def _take(config: Config) -> Snapshot:
    workspace, zone, now = config.workspace, zone_named(config.timezone), SystemClock().now()
    library = Library(workspace.root)
    library.scan()
    files = jobs_of(library.crons, zone=zone, default_agent=config.default_agent)
    with reading(config) as opened:
        counts, spent = asyncio.run(_sums(opened, midnight(now.astimezone(zone)))) if opened else (_NOTHING, 0.0)
        jobs = next_jobs(opened, files, now=now)
        proposals = unanswered(opened, now) if opened else ()
    problems = [_problem(p.path, p.line, p.message) for p in library.problems]
    return Snapshot(
        now=now,
        holder=holder_of(workspace.lock_file, workspace.daemon_file),
        counts=counts,
        spent=spent,
        jobs=jobs if config.cron.enabled else [],
        proposals=proposals,
        problems=[*problems, *(_warning(text, workspace.config_file) for text in config.warnings)],
    )


async def _sums(opened: SqliteStore, since: datetime) -> tuple[Counts, float]:
    counts = await opened.ledger.counts()
    return counts, sum(row.cost_usd for row in await opened.ledger.spend("model", since=since))


def _problem(path: Path, line: int, message: str) -> dict[str, Any]:
    return {"file": str(path), "line": line, "message": message}


def _warning(text: str, default: Path) -> dict[str, Any]:
    if match := _PLACED.fullmatch(text):
        return _problem(Path(match["file"]), int(match["line"] or 0), match["message"])
    return _problem(default, 0, text)


def _shape(snapshot: Snapshot) -> dict[str, Any]:
    counts = snapshot.counts
    return {
        "version": __version__,
        "pid": (snapshot.holder.pid or None) if snapshot.holder else None,
        "role": snapshot.holder.role if snapshot.holder else None,
        "url": snapshot.holder.url if snapshot.holder else None,
        "uptime_s": _uptime(snapshot),
        "open": counts.open,
        "running": counts.running if snapshot.holder else 0,
        "undelivered": counts.undelivered,
        "dead": counts.dead + counts.dead_replies,
        "dead_messages": counts.dead,
        "dead_replies": counts.dead_replies,
        "accepted": counts.accepted,
        "done": counts.done,
        "failed": counts.failed,
        "spend_today_usd": snapshot.spent,
        "next_jobs": [{"id": job.id, "agent": job.agent, "at": job.at.isoformat()} for job in snapshot.jobs],
        "proposals": [shape(proposal) for proposal in snapshot.proposals],
        "problems": list(snapshot.problems),
    }


def _uptime(snapshot: Snapshot) -> float | None:
    try:
        started = datetime.fromisoformat(snapshot.holder.started_at) if snapshot.holder else None
    except ValueError:
        return None
    return max(0.0, (snapshot.now - started).total_seconds()) if started and started.tzinfo else None


def _lines(snapshot: Snapshot, config: Config) -> Iterator[str]:
    counts, zone = snapshot.counts, zone_named(config.timezone)
    yield bold(f"picklebot {__version__} in {one_line(str(config.workspace.root))}")
    yield _who(snapshot)
    yield (
        f"Messages: {counted(counts.open, 'open message')}, {counts.running if snapshot.holder else 0} being answered; "
        f"{counts.done:,} done, {counts.failed:,} failed, {counts.dead:,} set aside."
    )
    yield f"Replies: {counts.undelivered:,} not delivered yet, {counts.dead_replies:,} set aside."
    yield f"Spent today: ${snapshot.spent:.4f} of ${config.limits.day_usd:.2f}."
    for job in snapshot.jobs[:_SHOWN_JOBS]:
        who = f" ({job.agent})" if job.agent else ""
        yield f"Job: {job.id}{who} is due at {local(job.at, zone)}."
    for proposal in snapshot.proposals:
        yield one_line(f"Waits for /approve {proposal.id}: {visible(proposal.title)}")
    for problem in snapshot.problems:
        place = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        yield one_line(f"Problem: {place}: {problem['message']}")


def _who(snapshot: Snapshot) -> str:
    holder, seconds = snapshot.holder, _uptime(snapshot)
    if holder is None:
        return "Nothing runs here: `picklebot server` starts the daemon, `picklebot chat` a conversation."
    since = f" for {_duration(seconds)}" if seconds is not None else ""
    where = f" at {one_line(holder.url)}" if holder.url else ""
    return f"A picklebot {one_line(holder.role)} runs here as process {holder.pid}{since}{where}."


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds // 60), int(seconds // 3600), int(seconds // 86400)
    if days:
        return f"{days} d {hours % 24} h"
    return f"{hours} h {minutes % 60} min" if hours else f"{minutes} min" if minutes else f"{int(seconds)} s"
