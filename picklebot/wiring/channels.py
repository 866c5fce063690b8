"""Channels, made from settings.

Promises that a channel gets its secrets by value and nobody else's. Knows no platform: a channel is a module with
`create(*, name, **options)`, named by `use` in config.yaml or among those that come with picklebot.
"""

from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, cast

from picklebot.channels.base import Bookmarks, CatchingUp, Channel, Closing
from picklebot.config import Config
from picklebot.errors import ConfigError
from picklebot.plugins import load
from picklebot.settings import ChannelSettings

_TERMINAL = "cli"  # opened by `picklebot chat`, where there is a person before it
_FILE = "picklebot.channels.file"
BUILT_IN: Mapping[str, str] = {
    "telegram": "picklebot.channels.telegram",
    "file": _FILE,
    "discord": "picklebot.channels.discord",
    "slack": "picklebot.channels.slack",
}
_EXTRAS: Mapping[str, str] = {"picklebot.channels.discord": "discord", "picklebot.channels.slack": "slack"}


def enabled_channels(config: Config) -> Mapping[str, ChannelSettings]:
    """Return the settings of the platforms to which the daemon connects."""
    return {name: settings for name, settings in config.channels.items() if settings.enabled and name != _TERMINAL}


def listed_ids(config: Config) -> Mapping[str, Collection[str]]:
    """Return the ids of the owner's accounts on each platform."""
    return {name: settings.allow for name, settings in enabled_channels(config).items()}


def listed_channels(config: Config, channels: Mapping[str, Channel]) -> Collection[str]:
    """Return the channels which hear only who was let in: all that are set up, but those that say otherwise."""
    return [name for name in enabled_channels(config) if not is_open(channels.get(name))]


def is_open(channel: object) -> bool:
    """Return whether whoever reaches a channel is heard on it."""
    return bool(getattr(channel, "open_to_all", False))


@asynccontextmanager
async def open_channels(config: Config, *, role: str, bookmarks: Bookmarks) -> AsyncGenerator[Sequence[Channel], None]:
    """Yield the channels that are enabled, and let go of what they hold at the end; only a server has any.

    Raises:
        ConfigError: one cannot be made.
    """
    async with AsyncExitStack() as stack:
        enabled = enabled_channels(config).items() if role == "server" else ()
        channels = [create_channel(config, name, settings) for name, settings in enabled]
        for channel in channels:
            if isinstance(channel, CatchingUp):
                channel.remember_in(bookmarks)
            if isinstance(channel, Closing):
                stack.push_async_callback(channel.aclose)
        yield channels


def create_channel(config: Config, name: str, settings: ChannelSettings) -> Channel:
    """Return a channel that is not connected yet.

    Raises:
        ConfigError: it cannot be made.
    """
    target = settings.use or BUILT_IN[name]  # which other names there may be, the settings have seen to
    options: dict[str, Any] = {key: value for key, value in settings.options.items() if not key.endswith("_env")}
    for key, variable in settings.options.items():
        if key.endswith("_env"):
            secret = config.secret(variable)
            if secret is None:
                raise ConfigError(f"channels.{name}.{key}: {variable} is neither in the environment nor in .env")
            options[key.removesuffix("_env")] = secret
    if target == _FILE:
        options["state"] = str(config.workspace.state)
    try:
        return cast("Channel", load(target, name=name, **options))
    except ConfigError as exc:
        missing = isinstance(exc.__cause__, ModuleNotFoundError) and target in _EXTRAS
        hint = f": pip install 'picklebot[{_EXTRAS[target]}]'" if missing else ""
        raise ConfigError(f"channels.{name}: {exc}{hint}") from exc
