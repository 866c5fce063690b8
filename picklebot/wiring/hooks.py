"""Webhooks, made from settings. Promises that each has a secret that is worth one. Knows no request."""

from collections.abc import Mapping

from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.gateway.hooks.hook import Hook
from picklebot.settings.edges import HookSettings
from picklebot.settings.templates import parse_template

SHORTEST = 16  #: characters of a secret


def hooks_of(config: Config) -> Mapping[str, Hook]:
    """Return the webhooks by name.

    Raises:
        ConfigError: one has no secret, or one that can be guessed.
    """
    return {name: hook_of(config, name, settings) for name, settings in config.gateway.hooks.items()}


def hook_of(config: Config, name: str, settings: HookSettings) -> Hook:
    """Return one webhook.

    Raises:
        ConfigError: it has no secret, or one that can be guessed.
    """
    secret = config.secret(settings.secret_env)
    if secret is None:
        raise ConfigError(
            f"gateway.hooks.{name}.secret_env: {settings.secret_env} is neither in the environment nor in "
            f"{config.workspace.env_file}"
        )
    if len(secret) < SHORTEST:
        raise ConfigError(
            f"gateway.hooks.{name}.secret_env: the secret in {settings.secret_env} has {len(secret)} characters, and "
            f"{SHORTEST} are needed: `openssl rand -hex 32` makes a good one"
        )
    return Hook(
        name=name,
        secret=secret,
        style=settings.signature,
        template=parse_template(settings.template),
        agent=settings.agent,
        deliver=settings.deliver,
        fresh=settings.session == "fresh",
        max_bytes=settings.max_bytes,
        window=settings.window,
    )
