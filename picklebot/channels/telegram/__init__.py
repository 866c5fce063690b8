"""Telegram as a channel, over the Bot API and nothing else.

Promises that the offset moves only once everything before it is on disk. Knows no session and no agent.
"""

from picklebot.channels.telegram.api import BotApi
from picklebot.channels.telegram.channel import TelegramChannel
from picklebot.clock import SystemClock
from picklebot.errors import ConfigError
from picklebot.settings.values import is_loopback

CLOUD = "https://api.telegram.org"


def create(*, name: str, token: str, base_url: str = CLOUD, poll_seconds: int = 50) -> TelegramChannel:
    """Return the channel of the bot that has `token`; `base_url` is that of a Bot API server of one's own.

    Raises:
        ConfigError: the token would go over the network in the clear, or a setting is out of bounds.
    """
    scheme, _, rest = base_url.partition("://")
    if scheme != "https" and not (scheme == "http" and is_loopback(_host(rest))):
        raise ConfigError(f"base_url: {base_url!r} would carry the token unencrypted: write https://...")
    if not 0 <= poll_seconds <= 50:
        raise ConfigError(f"poll_seconds: {poll_seconds} is not between 0 and 50")
    return TelegramChannel(name, BotApi(token, base_url), poll_seconds=poll_seconds, clock=SystemClock())


def _host(rest: str) -> str:
    place = rest.partition("/")[0].rpartition("@")[2]
    return place[1:].partition("]")[0] if place.startswith("[") else place.partition(":")[0]
