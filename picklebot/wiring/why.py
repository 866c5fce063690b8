"""What an explanation has to know beside the database, from settings and definitions. Knows no event."""

from picklebot.agent.routing import RoutingTable
from picklebot.clock import Clock, zone_named
from picklebot.config import Config
from picklebot.definitions.library import Library
from picklebot.workers.why_words import Surroundings


def surroundings_of(
    config: Config, library: Library, clock: Clock, *, routing: RoutingTable, runs: bool
) -> Surroundings:
    """Return what is around an event now; `runs` says whether a daemon works on this workspace."""

    def slots(agent_id: str) -> int | None:
        spec = library.agents.get(agent_id)
        return spec.max_concurrency if spec else None

    return Surroundings(
        now=clock.now(),
        zone=zone_named(config.timezone),
        routing=routing,
        slots=slots,
        ceiling=config.limits.max_concurrency,
        runs=runs,
    )
