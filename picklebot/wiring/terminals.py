"""What terminals ask of their daemon, from settings and what is open. Knows no screen."""

from picklebot.agent.routing import RoutingTable
from picklebot.clock import Clock
from picklebot.config import Config, resolve_provider
from picklebot.wiring.parts import Parts
from picklebot.wiring.stage import now_in
from picklebot.workers.commands import Commands
from picklebot.workers.desk import Accounts, Desk


def open_desk(config: Config, clock: Clock, parts: Parts, *, commands: Commands, routing: RoutingTable) -> Desk:
    """Return where terminals ask where they are."""

    def model_of(agent_id: str) -> str:
        spec = parts.library.agents.get(agent_id)
        if spec is None:
            return ""
        return "offline" if resolve_provider(config) == "offline" else spec.model.name or config.model.name

    return Desk(
        library=parts.library,
        sessions=parts.store.sessions,
        commands=commands,
        routing=routing,
        model_of=model_of,
        now=now_in(config, clock),
    )


def open_accounts(clock: Clock, parts: Parts) -> Accounts:
    """Return where terminals ask what holds them up, and what they have spent."""
    store = parts.store
    return Accounts(
        inbox=store.inbox, refusals=store.refusals, ledger=store.ledger, sessions=store.sessions, now=clock.now
    )
