"""What every turn shares, and where and when the daemon is, from settings. Knows no turn."""

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from picklebot.agent.runner import TurnLimits
from picklebot.channels.base import Channel
from picklebot.clock import Clock, zone_named
from picklebot.config import Config
from picklebot.core.redaction import Redactor, SecretFile
from picklebot.definitions.bootstrap import Bootstrap
from picklebot.errors import ConfigError
from picklebot.wiring.prices import price_list
from picklebot.workers.destinations import LastPlace
from picklebot.workers.stage import SkillRack, Stage


def stage_for(
    config: Config,
    clock: Clock,
    bootstrap: Bootstrap,
    *,
    skills: SkillRack,
    channels: Mapping[str, Channel],
    places: LastPlace,
) -> Stage:
    """Return what every turn shares."""
    limits, workspace = config.limits, config.workspace
    return Stage(
        zone=zone_named(config.timezone),
        bootstrap=bootstrap,
        skills=skills,
        limits=TurnLimits(steps=limits.turn_steps, seconds=limits.turn_seconds, usd=limits.turn_usd),
        max_tokens=config.model.max_tokens,
        effort=config.model.effort,
        rules=config.approvals,
        redact=redactor_of(config),
        apart=config.sandbox.mode != "off",
        allow_off=config.sandbox.allow_off,
        variables={
            "workspace": str(workspace.root),
            "agents_path": str(workspace.agents),
            "crons_path": str(workspace.crons),
            "skills_path": str(workspace.skills),
            "memories_path": str(workspace.memories),
        },
        channels=channels,
        price=price_list(config),
        refuse_unpriced=limits.unpriced == "refuse",
        places=places,
        heartbeat_usd=config.heartbeat.day_usd,
        clock=clock,
        compact_at=config.context.compact_at,
        defer_above=config.tools.defer_above,
    )


def now_in(config: Config, clock: Clock) -> Callable[[], datetime]:
    """Return a function that says what time it is where the user is."""
    zone = zone_named(config.timezone)
    return lambda: clock.now().astimezone(zone)


def database_of(config: Config) -> Path:
    """Return where the database is.

    Raises:
        ConfigError: `store.url` names a kind of database that is not there yet.
    """
    if config.database is None:
        raise ConfigError("store.url: postgresql is not there yet; use sqlite:///PATH")
    return config.database


def redactor_of(config: Config) -> Redactor:
    """Return what takes every secret out of text that this workspace knows, the gateway's token of each moment too."""
    return Redactor(config.known_secrets(), live=SecretFile(config.workspace.token_file))
