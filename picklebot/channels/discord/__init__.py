"""Discord as a channel, over discord.py, which is imported with this module and so only where the channel is set up.

Promises that what was said in an absence is asked for afterwards. Knows no session and no agent.
"""

from picklebot.channels.discord.channel import DiscordChannel
from picklebot.channels.discord.client import CLOUD, serve_from
from picklebot.channels.endpoint import endpoint


def create(*, name: str, token: str, base_url: str = CLOUD) -> DiscordChannel:
    """Return the channel of the bot that has `token`; `base_url` is that of a server which speaks as Discord does.

    Raises:
        ConfigError: the token would go over the network in the clear.
    """
    serve_from(endpoint(base_url))
    return DiscordChannel(name, token)
