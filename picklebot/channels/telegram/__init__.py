"""Telegram as a channel, over the Bot API and nothing else.

Promises that the offset moves only once everything before it is on disk. Knows no session and no agent.
"""

from picklebot.channels.endpoint import endpoint
from picklebot.channels.telegram.api import BotApi
from picklebot.channels.telegram.channel import TelegramChannel
from picklebot.clock import SystemClock
from picklebot.errors import ConfigError

CLOUD = "https://api.telegram.org"


def create(*, name: str, token: str, base_url: str = CLOUD, poll_seconds: int = 50) -> TelegramChannel:
    """Return the channel of the bot that has `token`; `base_url` is that of a Bot API server of one's own.

    Raises:
        ConfigError: the token would go over the network in the clear, or a setting is out of bounds.
    """
    api = BotApi(token, endpoint(base_url))
    if not 0 <= poll_seconds <= 50:
        raise ConfigError(f"poll_seconds: {poll_seconds} is not between 0 and 50")
    return TelegramChannel(name, api, poll_seconds=poll_seconds, clock=SystemClock())
