"""Who comes in, and how: the worker that listens to the channels, made from settings. Knows no platform."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from picklebot.agent.routing import RoutingTable
from picklebot.channels.base import Channel
from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.gateway.entrance import HOOK
from picklebot.wiring.channels import enabled_channels, listed_channels
from picklebot.wiring.parts import Parts
from picklebot.wiring.stage import now_in
from picklebot.workers.channel import ChannelWorker
from picklebot.workers.commands import Command, Commands
from picklebot.workers.door import Door, Visitors
from picklebot.workers.guests import Guests
from picklebot.workers.loops import LoopBreaker
from picklebot.workers.orders import Orders
from picklebot.workers.pace import Pace
from picklebot.workers.pairing import Greeter, PairingCommands
from picklebot.workers.posting import Posting
from picklebot.workers.reception import Reception

TOGETHER = 5  #: guests that may each talk as fast as one may, at once


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontDesk:
    """Who knows where a message goes. `room` says how many messages to an agent would be begun at once."""

    routing: RoutingTable
    commands: Commands
    room: Callable[[str], int]


def create_listener(
    config: Config, clock: Clock, parts: Parts, channels: Mapping[str, Channel], *, desk: FrontDesk
) -> ChannelWorker:
    """Return the worker that listens to `channels`."""
    store, set_up = parts.store, enabled_channels(config).values()
    each = min([settings.guest_rate for settings in set_up], default=10)
    door = Door(
        routing=desk.routing,
        agents=parts.library,
        visitors=Visitors(
            parts.people, Pace(clock, each=each, together=each * TOGETHER), listed=listed_channels(config, channels)
        ),
        greeter=Greeter(store.pairings, now=clock.now),
        attachments=parts.attachments,
        queue_limit=config.limits.queue_per_session,
    )
    orders = Orders(
        bus=parts.bus, inbox=store.inbox, claims=store.claims, sessions=store.sessions, commands=desk.commands
    )
    reception = Reception(bus=parts.bus, inbox=store.inbox, orders=orders, room=desk.room)
    return ChannelWorker(channels=channels, door=door, reception=reception, troubles=store.troubles, clock=clock)


def guests_of(config: Config, parts: Parts) -> Guests:
    """Return what guests may do."""
    tools = {name: settings.guest_tools for name, settings in enabled_channels(config).items()}
    return Guests(is_owner=parts.people.is_owner, is_guest=parts.people.is_guest, tools=tools)


async def loops_of(config: Config, clock: Clock, parts: Parts, posting: Posting) -> LoopBreaker:
    """Return what stops programs that keep each other talking, with what was stopped before."""
    limits, people = config.limits, parts.people
    loops = LoopBreaker(
        exchanges=limits.loop_exchanges,
        seconds=limits.loop_seconds,
        is_owner=people.is_owner,
        watched=lambda source: source.channel == HOOK or people.is_guest(source),
        now=clock.now,
        tell=posting.warn,
    )
    loops.recall(await parts.store.refusals.waiting(clock.now()))
    return loops


def with_pairing(config: Config, clock: Clock, parts: Parts, table: Mapping[str, Command]) -> Mapping[str, Command]:
    """Return the commands of `table`, with strangers in /approve and /deny."""
    pairing = PairingCommands(
        pairings=parts.store.pairings,
        people=parts.people,
        approve=table["approve"],
        deny=table["deny"],
        now=now_in(config, clock),
    )
    return {**table, **pairing.table()}
