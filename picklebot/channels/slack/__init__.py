"""Slack as a channel, over Socket Mode and the Web API: no address that others can reach is needed.

Promises that Slack is told "received" only when a message is on disk. slack_sdk is imported with this module, and so
only where the channel is set up. Knows no session and no agent.
"""

from picklebot.channels.endpoint import endpoint
from picklebot.channels.slack.api import SlackApi
from picklebot.channels.slack.channel import SlackChannel
from picklebot.errors import ConfigError

CLOUD = "https://slack.com/api"


def create(*, name: str, token: str, app_token: str, base_url: str = CLOUD) -> SlackChannel:
    """Return the channel of the app with these tokens; `base_url` is that of a server which speaks as Slack does.

    Raises:
        ConfigError: the tokens stand in each other's place, or would go over the network in the clear.
    """
    base = endpoint(base_url)
    if token.startswith("xapp-"):
        raise ConfigError("token_env: this is the token of the app; the bot's begins with xoxb-")
    if not app_token.startswith("xapp-"):
        raise ConfigError("app_token_env: this is no token of an app: those begin with xapp-")
    return SlackChannel(name, SlackApi(token, app_token, base))
