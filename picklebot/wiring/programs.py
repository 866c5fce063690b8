"""The ways in for programs: put together from what the gateway stands on.

Knows no route.
"""

from picklebot.gateway.hooks.bell import Bell
from picklebot.gateway.hub import Hub
from picklebot.gateway.openai.completions import Desk
from picklebot.gateway.openai.conversation import Conversations
from picklebot.gateway.openai.following import Watch
from picklebot.gateway.openai.route import OpenAI
from picklebot.wiring.gateway import Ground
from picklebot.wiring.hooks import hooks_of


def openai_of(ground: Ground, hub: Hub) -> OpenAI:
    """Return the OpenAI-compatible API."""
    parts, store = ground.parts, ground.parts.store
    desk = Desk(
        bus=parts.bus,
        entrance=ground.entrances.http,
        watch=Watch(fates=store.fates, now=ground.clock.now, closing=hub.closing),
        bills=store.ledger,
    )
    return OpenAI(desk=desk, conversations=Conversations(store.sessions), agents=lambda: list(parts.library.agents))


def bell_of(ground: Ground) -> Bell:
    """Return the webhooks.

    Raises:
        ConfigError: one has no secret.
    """
    return Bell(hooks_of(ground.config), entrance=ground.entrances.hook, clock=ground.clock)
