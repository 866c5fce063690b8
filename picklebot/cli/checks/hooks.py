"""Webhooks: that each has its secret."""

from collections.abc import Iterator

from picklebot.cli.checks.findings import Finding
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.wiring.hooks import hook_of


def check_hooks(config: Config) -> Iterator[Finding]:
    """Find the webhooks with which the server would not start."""
    for name, settings in config.gateway.hooks.items():
        try:
            hook_of(config, name, settings)
        except ConfigError as exc:
            yield Finding(level="error", check="hooks", message=str(exc))
