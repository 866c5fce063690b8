"""`picklebot status`: what runs, what waits, what failed, what was spent today.

That nothing runs is an answer, not a failure. Writes nothing.
"""

import asyncio
from collections.abc import Iterator

from picklebot import __version__
from picklebot.cli.knock import login_link
from picklebot.cli.output import bold, counted, local, one_line, print_json, say
from picklebot.cli.reading import reading
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.proposals import visible
from picklebot.definitions.library import Library
from picklebot.lock import holder_of
from picklebot.wiring.standing import Standing, standing_of
from picklebot.workers.pairing import told

_SHOWN_JOBS = 3


def status(*, config: Config, as_json: bool) -> int:
    """Print how things stand."""
    standing = _look(config)
    if as_json:
        print_json(standing.to_json())
    else:
        for line in _lines(standing, config):
            say(line)
    return 0


def _look(config: Config) -> Standing:
    workspace = config.workspace
    library = Library(workspace.root)
    library.scan()
    with reading(config) as opened:
        holder = holder_of(workspace.lock_file, workspace.daemon_file)
        return asyncio.run(standing_of(config, library, opened, holder=holder, now=SystemClock().now()))


def _lines(standing: Standing, config: Config) -> Iterator[str]:
    counts, zone = standing.counts, zone_named(config.timezone)
    yield bold(f"picklebot {__version__} in {one_line(str(config.workspace.root))}")
    yield _who(standing)
    if standing.holder and standing.holder.url and (link := login_link(config, standing.holder.url)) is not None:
        yield f"In a browser, once and within ten minutes: {link}"
    yield (
        f"Messages: {counted(counts.open, 'open message')}, {counts.running if standing.holder else 0} being answered; "
        f"{counts.done:,} done, {counts.failed:,} failed, {counts.dead:,} set aside."
    )
    yield f"Replies: {counts.undelivered:,} not delivered yet, {counts.dead_replies:,} set aside."
    yield f"Spent today: ${standing.spent:.4f} of ${config.limits.day_usd:.2f}."
    for job in standing.jobs[:_SHOWN_JOBS]:
        who = f" ({job.agent})" if job.agent else ""
        yield f"Job: {job.id}{who} is due at {local(job.at, zone)}."
    for proposal in standing.proposals:
        yield one_line(f"Waits for /approve {proposal.id}: {visible(proposal.title)}")
    for knock in standing.strangers:
        yield one_line(f"Waits for /approve {knock.code}: {told(knock)}")
    for problem in standing.problems:
        place = f"{problem['file']}:{problem['line']}" if problem["line"] else problem["file"]
        yield one_line(f"Problem: {place}: {problem['message']}")


def _who(standing: Standing) -> str:
    holder, seconds = standing.holder, standing.uptime
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
