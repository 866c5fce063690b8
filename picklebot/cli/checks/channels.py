"""The channels: that each can be made, who may talk there, and what keeps one away."""

import asyncio
from collections.abc import Collection, Iterator
from datetime import datetime

from picklebot.channels.base import Channel, Knowing
from picklebot.cli.checks.findings import Finding
from picklebot.cli.reading import reading
from picklebot.config import Config
from picklebot.core.people import Knock
from picklebot.errors import ConfigError, PicklebotError
from picklebot.lock import holder_of
from picklebot.store.sqlite import SqliteStore
from picklebot.wiring.channels import create_channel, enabled_channels, is_open
from picklebot.workers.pairing import told


def check_channels(config: Config, *, now: datetime) -> Iterator[Finding]:
    """Find channels that cannot work, and strangers who wait."""
    enabled = enabled_channels(config)
    if not enabled:
        return
    try:
        with reading(config) as opened:
            away, waiting, paired = asyncio.run(_look(opened, now)) if opened else ({}, [], set[str]())
    except PicklebotError:
        return  # the database has a finding of its own
    workspace = config.workspace
    if holder_of(workspace.lock_file, workspace.daemon_file) is None:
        away = {}  # what was so when a daemon ran last may be mended by now
    for name, settings in enabled.items():
        try:
            channel = create_channel(config, name, settings)
        except ConfigError as exc:
            yield Finding(level="error", check="channels", message=str(exc))
            continue
        yield from _no_ids(name, channel, settings.allow)
        if name in away:
            yield Finding(level="error", check="channels", message=f"{name} is away: {away[name]}")
        elif is_open(channel):
            yield Finding(level="ok", check="channels", message=f"{name}: whoever reaches it is heard")
        elif not settings.allow and name not in paired:
            yield _lonely(name)
        else:
            yield Finding(
                level="ok", check="channels", message=f"{name}: {_count(len(settings.allow), 'owner account')}"
            )
    for knock in waiting:
        yield Finding(
            level="info",
            check="channels",
            message=told(knock),
            fix=f"/approve {knock.code} in picklebot chat lets them in",
        )


async def _look(opened: SqliteStore, now: datetime) -> tuple[dict[str, str], list[Knock], set[str]]:
    away = {name: words for name, words, _ in await opened.troubles.all()}
    paired = {grant.channel for grant in await opened.pairings.grants()}
    return away, [*await opened.pairings.pending(now)], paired


def _no_ids(name: str, channel: Channel, listed: Collection[str]) -> Iterator[Finding]:
    """Find what stands among the owner's accounts and is nobody's id: a name would let nobody in."""
    for person in listed:
        if isinstance(channel, Knowing) and not channel.is_id(person):
            yield Finding(
                level="error",
                check="channels",
                message=f"{name}: nobody there has the id {person!r}",
                fix=f"write an id, such as {channel.id_like}, into channels.{name}.allow: names let nobody in",
            )


def _lonely(name: str) -> Finding:
    return Finding(
        level="warning",
        check="channels",
        message=f"{name} listens to nobody: its allow list is empty",
        fix=f"write your id there into channels.{name}.allow, or write to the bot and approve the code it tells you",
    )


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
