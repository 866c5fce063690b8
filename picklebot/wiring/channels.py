"""Channels, made from settings.

Promises that a channel gets its secrets by value and nobody else's. Knows no platform: a channel is a module with
`create(*, name, **options)`, named by `use` in config.yaml.
"""

from collections.abc import Sequence
from typing import cast

from picklebot.channels.base import Channel
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.plugins import load
from picklebot.settings import ChannelSettings

_TERMINAL = "cli"  # opened by `picklebot chat`, where there is a person before it


def create_channels(config: Config) -> Sequence[Channel]:
    """Return the channels that are enabled.

    Raises:
        ConfigError: one cannot be made.
    """
    enabled = {name: settings for name, settings in config.channels.items() if settings.enabled and name != _TERMINAL}
    return [_create(config, name, settings) for name, settings in enabled.items()]


def _create(config: Config, name: str, settings: ChannelSettings) -> Channel:
    if settings.use is None:
        raise ConfigError(f"channels.{name}: this channel is not there yet; one of your own is named by `use`")
    options = {key: value for key, value in settings.options.items() if not key.endswith("_env") and key != "allow"}
    for key, variable in settings.options.items():
        if key.endswith("_env"):
            secret = config.secret(variable)
            if secret is None:
                raise ConfigError(f"channels.{name}.{key}: {variable} is neither in the environment nor in .env")
            options[key.removesuffix("_env")] = secret
    return cast("Channel", load(settings.use, name=name, **options))
