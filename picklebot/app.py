"""The composition root: from settings to a daemon that runs. The only importer of adapters, with `wiring`.

Promises that what it opens it closes, in reverse, whatever happens in between. Nothing receives an `App` but the
program's outermost edge.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from picklebot.channels.base import Channel
from picklebot.clock import Clock, SystemClock
from picklebot.config import Config
from picklebot.core.bus import EventBus
from picklebot.definitions.library import Library
from picklebot.gateway.entrance import create_entrances
from picklebot.store.sqlite import SqliteStore
from picklebot.supervisor import supervise
from picklebot.wiring.channels import open_channels
from picklebot.wiring.gateway import Examine, open_gateway
from picklebot.wiring.parts import open_parts
from picklebot.wiring.staff import Staff, hire
from picklebot.workers.base import Worker
from picklebot.workers.stage import Models

GRACE = 10.0  #: seconds each worker gets to drain


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A daemon, put together and not yet running."""

    config: Config
    bus: EventBus
    store: SqliteStore
    library: Library
    notices: Sequence[str]
    """What a user should read at the start."""
    staff: Staff
    gateway: Worker | None
    """None where nothing listens."""

    async def run(self, stop: asyncio.Event, *, ready: Callable[[], None] = lambda: None, grace: float = GRACE) -> None:
        """Run until `stop` is set. A worker that fails takes everything down.

        Raises:
            ExceptionGroup: a worker failed.
        """
        workers = [*self.staff.workers, *([self.gateway] if self.gateway else [])]
        await supervise(workers, stop, grace=grace, ready=ready)


@asynccontextmanager
async def open_app(
    config: Config,
    *,
    channels: Sequence[Channel] = (),
    clock: Clock | None = None,
    models: Models | None = None,
    role: str = "server",
    examine: Examine = lambda: (),
) -> AsyncGenerator[App, None]:
    """Open everything that `config` names, with `channels` beside, for as long as the block lasts.

    `clock` and `models` stand in for the real ones in tests. `examine` is what the gateway answers `/api/doctor` with.

    Raises:
        AlreadyRunning: another process holds the workspace.
        ConfigError: something that `config` names cannot be made.
        StoreError: the database cannot be used.
    """
    clock = clock or SystemClock()
    async with (
        open_parts(config, clock, models=models, role=role) as parts,
        open_channels(config, role=role, bookmarks=parts.store.bookmarks) as configured,
    ):
        entrances = create_entrances()
        every = (entrances.http, entrances.ws, entrances.hook, entrances.terminal, *configured, *channels)
        by_name = {channel.name: channel for channel in every}
        # Terminals fetch their replies themselves, when there are any.
        delivered = {name: channel for name, channel in by_name.items() if channel is not entrances.terminal}
        staff = await hire(config, clock, parts, by_name, delivered=delivered)
        async with open_gateway(config, clock, parts, staff, entrances, examine=examine) as gateway:
            yield App(
                config=config,
                bus=parts.bus,
                store=parts.store,
                library=parts.library,
                notices=parts.notices,
                staff=staff,
                gateway=gateway,
            )
