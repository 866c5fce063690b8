"""The gateway, put together: what each of its rooms is given, and the list of all routes.

To add routes, add the `endpoints()` of your room to `_endpoints`; its handlers get what they need from `Ground`.
Knows no handler.
"""

from collections.abc import Sequence
from typing import Any

from picklebot.gateway.endpoint import Endpoint
from picklebot.gateway.hub import Hub
from picklebot.gateway.keeper import Keeper
from picklebot.gateway.listener import Listener
from picklebot.gateway.messages import Messages
from picklebot.gateway.names import Names
from picklebot.gateway.reads import Health, Reads
from picklebot.gateway.site import build
from picklebot.gateway.sockets import Sockets
from picklebot.gateway.terminals.frames import PATH
from picklebot.gateway.worker import GatewayWorker
from picklebot.lock import announce
from picklebot.wiring.gateway import Ground
from picklebot.wiring.programs import bell_of, openai_of, terminals_of
from picklebot.wiring.standing import standing_of


def create_worker(ground: Ground) -> GatewayWorker:
    """Return the worker that serves the gateway."""
    settings, store = ground.config.gateway, ground.parts.store
    hub = Hub(bus=ground.parts.bus, log=store.log)
    sockets = Sockets(entrance=ground.entrances.ws, hub=hub, sessions=store.sessions, stop=ground.staff.taker.stop)
    names = Names(settings.host, ground.bound.getsockname()[1], settings.allow_hosts)
    terminals = terminals_of(ground, hub, sockets.open)
    served = {"/ws": sockets.serve, PATH: terminals.serve}
    app = build(_endpoints(ground, hub), served, names=names, keeper=Keeper(secret=ground.secret))
    return GatewayWorker(
        hub=hub,
        listener=Listener(app, ground.bound, connections=settings.max_connections),
        sockets=sockets,
        secret=ground.secret,
        clock=ground.clock,
        listening=lambda: announce(ground.config.workspace.daemon_file, ground.holder),
    )


def _endpoints(ground: Ground, hub: Hub) -> Sequence[Endpoint]:
    """Return every route."""
    config, parts = ground.config, ground.parts
    store = parts.store

    async def standing() -> dict[str, Any]:
        now, holder = ground.clock.now(), ground.holder
        return (await standing_of(config, parts.library, store, holder=holder, now=now)).to_json()

    return [
        *Health(ready=lambda: not hub.closing.is_set()).endpoints(),
        *Messages(entrance=ground.entrances.http, hub=hub, answers=store.answers).endpoints(),
        *Reads(standing=standing, log=store.log).endpoints(),
        *openai_of(ground, hub).endpoints(),
        *bell_of(ground).endpoints(),
    ]
