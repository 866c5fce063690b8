"""The database: whole, its ledger in balance, nothing waiting for a channel that is not there."""

import asyncio
from collections.abc import Iterator
from datetime import datetime, timedelta

from picklebot.cli.checks.findings import Finding
from picklebot.cli.output import counted
from picklebot.cli.reading import reading
from picklebot.cli.restore import is_unfinished
from picklebot.config import Config
from picklebot.core.proposals import visible
from picklebot.errors import PicklebotError
from picklebot.store.base import Counts
from picklebot.store.sqlite import SqliteStore
from picklebot.wiring.standing import unanswered

_DIRECT = frozenset({"cli", "ws", "http"})  # whoever asked there comes for the answer
_SLACK = timedelta(minutes=5)


def check_database(config: Config, *, now: datetime) -> Iterator[Finding]:
    """Look the store over, beside whoever runs."""
    if is_unfinished(config.workspace):
        yield _error("a restore was cut short", fix="stop picklebot, and run picklebot restore again: it goes on")
    try:
        with reading(config) as opened:
            if opened is None:
                yield Finding(level="info", check="database", message="there is none yet: nothing has happened here")
                return
            if damage := asyncio.run(opened.reports.damage()):
                yield _error(f"{config.database} is damaged: {damage}", fix="restore a backup, or move it aside")
                return
            yield Finding(level="ok", check="database", message=f"{config.database} is whole")
            yield from _ledger(asyncio.run(opened.ledger.counts()))
            yield from _orphans(config, opened)
            yield from _future(opened, now)
            yield from _proposals(opened, now)
    except PicklebotError as exc:
        yield _error(str(exc), fix="restore a backup, or move it aside")


def _ledger(counts: Counts) -> Iterator[Finding]:
    told = f"{counts.done} done, {counts.failed} failed, {counts.dead} set aside, {counts.open} open"
    if counts.accepted == counts.done + counts.failed + counts.dead + counts.open:
        yield Finding(level="ok", check="ledger", message=f"{counted(counts.accepted, 'message')} accepted: {told}")
    else:
        yield Finding(
            level="error",
            check="ledger",
            message=f"{counted(counts.accepted, 'message')} accepted, which is not the sum of {told}",
            fix="keep a copy of the database and report this",
        )
    if aside := counts.dead + counts.dead_replies:
        messages, replies = counted(counts.dead, "message"), counted(counts.dead_replies, "reply")
        yield Finding(
            level="warning",
            check="ledger",
            message=f"{aside} set aside after too many failures ({messages}, {replies})",
            fix="picklebot events dead shows them; picklebot events retry lets them go on",
        )


def _orphans(config: Config, opened: SqliteStore) -> Iterator[Finding]:
    for waiting in asyncio.run(opened.reports.waiting()):
        settings = config.channels.get(waiting.channel)
        if waiting.channel in _DIRECT or (settings and settings.enabled):
            continue
        wait = "waits" if waiting.replies == 1 else "wait"
        yield Finding(
            level="warning",
            check="replies",
            message=f"{counted(waiting.replies, 'reply')} {wait} for the channel {waiting.channel!r}, which is not "
            f"enabled, since {waiting.since:%Y-%m-%d %H:%M} UTC",
            fix=f"enable channels.{waiting.channel} in config.yaml",
        )


def _proposals(opened: SqliteStore, now: datetime) -> Iterator[Finding]:
    for proposal in asyncio.run(unanswered(opened, now)):
        yield Finding(
            level="info" if proposal.intact else "warning",
            check="proposals",
            message=f"{proposal.id} waits for the owner: {visible(proposal.title)}"
            + ("" if proposal.intact else "; it was altered since, and cannot be approved"),
            fix=f"picklebot proposals show {proposal.id} shows it; /approve {proposal.id} or /deny {proposal.id} answers",
        )


def _future(opened: SqliteStore, now: datetime) -> Iterator[Finding]:
    for _, event in asyncio.run(opened.reports.newest(1)):
        if event.created_at > now + _SLACK:
            yield Finding(
                level="warning",
                check="clock",
                message=f"the newest event is from {event.created_at:%Y-%m-%d %H:%M} UTC, which is yet to come: "
                "the clock was set back, or is wrong",
                fix="set the clock of this machine",
            )


def _error(message: str, *, fix: str) -> Finding:
    return Finding(level="error", check="database", message=message, fix=fix)
