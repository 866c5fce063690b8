"""The routing table: what config.yaml says, and what was made in conversations. Knows no source."""

from collections.abc import Iterable

from picklebot.agent.routing import Binding, RoutingTable
from picklebot.config import Config
from picklebot.store.base import MadeBinding


def routing_of(config: Config, made: Iterable[MadeBinding]) -> RoutingTable:
    """Return the table.

    Raises:
        ConfigError: a pattern is no regular expression.
    """
    written = [Binding(each.source, each.agent) for each in config.routing.bindings]
    return RoutingTable(
        written,
        default=config.default_agent,
        made=[Binding(each.pattern, each.agent_id, literal=each.literal, made=True) for each in made],
    )
