"""The ways in for programs, and for terminals that join: put together from what the gateway stands on.

Knows no route.
"""

from picklebot.gateway.hooks.bell import Bell
from picklebot.gateway.hub import Hub
from picklebot.gateway.openai.completions import Desk
from picklebot.gateway.openai.conversation import Conversations
from picklebot.gateway.openai.following import Watch
from picklebot.gateway.openai.route import OpenAI
from picklebot.gateway.terminals.route import Terminals
from picklebot.gateway.terminals.service import Service
from picklebot.gateway.wire import GatewaySocket
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
    store = ground.parts.store
    return Bell(hooks_of(ground.config), entrance=ground.entrances.hook, proofs=store.proofs, clock=ground.clock)


def terminals_of(ground: Ground, hub: Hub, sockets: set[GatewaySocket]) -> Terminals:
    """Return where `chat` and `ask` join. `sockets` are those that are open."""
    store, staff = ground.parts.store, ground.staff
    service = Service(
        desk=staff.desk,
        accounts=staff.accounts,
        fates=store.fates,
        mail=store.outbox,
        stop_turn=staff.taker.stop,
        now=ground.clock.now,
        notices=ground.parts.notices,
    )
    return Terminals(hub=hub, entrance=ground.entrances.terminal, service=service, sockets=sockets)
