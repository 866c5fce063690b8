"""What leaves: the worker that delivers, and the one that shows replies as they grow, made from settings.

Knows no platform.
"""

from collections.abc import Mapping, Sequence

from picklebot.channels.base import Channel, LiveChannel
from picklebot.clock import Clock
from picklebot.config import Config
from picklebot.wiring.parts import Parts
from picklebot.workers.base import Worker
from picklebot.workers.delivery import DeliveryWorker, RetryPolicy
from picklebot.workers.packing import Packing
from picklebot.workers.previews import PreviewWorker


def create_delivery(config: Config, clock: Clock, parts: Parts, channels: Mapping[str, Channel]) -> Sequence[Worker]:
    """Return the workers that deliver, in the order in which they start: what is shown must end before what is sent."""
    settings, store = config.delivery, parts.store
    live = {name: channel for name, channel in channels.items() if isinstance(channel, LiveChannel)}
    # Only where there is a channel for it: nobody makes notices that nobody hears.
    previews = PreviewWorker(bus=parts.bus, drafts=store.drafts, channels=live, clock=clock) if live else None
    worker = DeliveryWorker(
        bus=parts.bus,
        outbox=store.outbox,
        channels=channels,
        clock=clock,
        policy=RetryPolicy(
            retry_for=settings.retry_for, first_delay=settings.first_delay, max_delay=settings.max_delay
        ),
        packing=Packing(previews=previews, files=parts.attachments),
    )
    return [*([previews] if previews else []), worker]
