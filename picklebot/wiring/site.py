"""The gateway, put together: what each of its rooms is given, and the list of all routes.

To add routes, add the `endpoints()` of your room to `_endpoints`; its handlers get what they need from `Ground`.
Knows no handler.
"""

from collections.abc import Sequence
from typing import Any

from picklebot.gateway import page
from picklebot.gateway.deeds import Deeds
from picklebot.gateway.doorbook import DoorBook
from picklebot.gateway.endpoint import Endpoint
from picklebot.gateway.holdings import Holdings
from picklebot.gateway.hub import Hub
from picklebot.gateway.keeper import Keeper
from picklebot.gateway.listener import Listener
from picklebot.gateway.login import LoginDesk
from picklebot.gateway.logins import Logins
from picklebot.gateway.messages import Messages
from picklebot.gateway.metrics import Metrics
from picklebot.gateway.names import Names
from picklebot.gateway.notes import NoteDesk
from picklebot.gateway.openapi import Description
from picklebot.gateway.queues import FlowReads
from picklebot.gateway.reads import Health, Reads
from picklebot.gateway.site import Site, build
from picklebot.gateway.sockets import Sockets
from picklebot.gateway.terminals.frames import PATH
from picklebot.gateway.throttle import Throttle
from picklebot.gateway.worker import GatewayWorker
from picklebot.lock import announce
from picklebot.wiring.gateway import Ground
from picklebot.wiring.holdings import records_of, shelves_of
from picklebot.wiring.levers import levers_of
from picklebot.wiring.programs import bell_of, openai_of, terminals_of
from picklebot.wiring.standing import standing_of


def create_worker(ground: Ground) -> GatewayWorker:
    """Return the worker that serves the gateway."""
    site = _site(ground)
    return GatewayWorker(
        site,
        listener=Listener(site.app, ground.bound, connections=ground.config.gateway.max_connections),
        clock=ground.clock,
        listening=lambda: announce(ground.config.workspace.daemon_file, ground.holder),
    )


def _site(ground: Ground) -> Site:
    settings, store, port = ground.config.gateway, ground.parts.store, ground.bound.getsockname()[1]
    hub = Hub(bus=ground.parts.bus, log=store.log)
    sockets = Sockets(entrance=ground.entrances.ws, hub=hub, sessions=store.sessions, stop=ground.staff.taker.stop)
    cookie = f"picklebot_{port}"  # cookies know no ports, and two daemons of one machine must not log each other out
    logins = Logins(ground.config.workspace.logins_file, secret=ground.secret, now=ground.clock.now)
    throttle = Throttle(ground.clock.monotonic)
    book = DoorBook(store.audit, ground.clock)
    keeper = Keeper(secret=ground.secret, logins=logins, throttle=throttle, book=book, cookie=cookie)
    desk = LoginDesk(logins=logins, keeper=keeper, book=book, url=ground.url, cookie=cookie)
    metrics = Metrics(
        counts=store.ledger.counts,
        spend=lambda: store.ledger.spend("model"),
        durations=store.durations,
        hub=hub,
        begun=ground.begun,
    )
    description = Description([*desk.endpoints(), *_endpoints(ground, hub), *metrics.endpoints()])
    served = {"/ws": sockets.serve, PATH: terminals_of(ground, hub, sockets.open).serve}
    names = Names(settings.host, port, settings.allow_hosts)
    return Site(
        app=build(description.endpoints, served, names=names, keeper=keeper),
        description=description,
        hub=hub,
        metrics=metrics,
        sockets=sockets,
        secret=ground.secret,
        book=book,
    )


def _endpoints(ground: Ground, hub: Hub) -> Sequence[Endpoint]:
    """Return every route."""
    config, parts = ground.config, ground.parts
    store = parts.store

    async def standing() -> dict[str, Any]:
        now, holder = ground.clock.now(), ground.holder
        return (await standing_of(config, parts.library, store, holder=holder, now=now)).to_json()

    async def hindrance() -> str | None:
        await store.log.last()  # a store that cannot be read raises
        return "the daemon stops" if hub.closing.is_set() else await store.room.missing()

    return [
        *Health(hindrance=hindrance).endpoints(),
        *Messages(entrance=ground.entrances.http, hub=hub, answers=store.answers).endpoints(),
        *Reads(standing=standing, log=store.log).endpoints(),
        *records_of(ground).endpoints(),
        *Holdings(shelves=shelves_of(ground), recall=parts.memories).endpoints(),
        *NoteDesk(notebook=parts.memories, entrance=ground.entrances.http, now=ground.clock.now).endpoints(),
        *Deeds(levers=levers_of(ground), proposals=store.proposals).endpoints(),
        *openai_of(ground, hub).endpoints(),
        *bell_of(ground).endpoints(),
        *FlowReads(queues=store.queues, sums=store.ledger, log=store.log).endpoints(),
        *page.endpoints(),
    ]
