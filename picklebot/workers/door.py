"""The door: turns what a platform brought into something that may be accepted, or says why not.

Promises that on a channel with a list nobody is heard who was not let in, and that guests are held to their pace.
Knows no platform.
"""

from collections.abc import Collection
from typing import Protocol

from picklebot.agent.routing import RoutingTable
from picklebot.channels.base import Channel, Incoming
from picklebot.clock import Clock
from picklebot.core.people import Role
from picklebot.core.text import MAX_CONTENT, clean
from picklebot.errors import ChannelError, NotFound, Unknown
from picklebot.store.base import Arrival
from picklebot.workers.attachments import Attachments
from picklebot.workers.mentions import mentioned
from picklebot.workers.pace import Pace
from picklebot.workers.pairing import Greeter
from picklebot.workers.people import People

BACKLOG = 1_000_000
"""Messages of an owner that may wait in one session on a platform which hands each over once: one that is refused
there is lost, so that they wait in the database, whatever came together while this daemon was away."""


class Agents(Protocol):
    """Says which agents there are."""

    def get_agent(self, agent_id: str) -> object:
        """Return an agent.

        Raises:
            NotFound: with the nearest id.
        """
        ...


class Visitors:
    """Knows who may come in by which channel. `listed` are the channels that hear only who was let in."""

    def __init__(self, people: People, pace: Pace, *, listed: Collection[str]) -> None:
        self._people = people
        self._pace = pace
        self._listed = frozenset(listed)

    async def admit(self, incoming: Incoming) -> Role | None:
        """Return as what somebody comes in; None where everybody may.

        Raises:
            Unknown: they were not let in.
            TooFast: they are a guest, and talk too fast.
        """
        source = incoming.source
        if source.channel not in self._listed:
            return None
        role = await self._people.role_now(source)
        if role is None:
            raise Unknown(f"{source} was not let in")
        if role == "guest":
            self._pace.count(f"{source.channel}:{source.parts[0]}")
        return role


class Door:
    """Turns what a platform brought into something that may be accepted, or says why not."""

    def __init__(
        self,
        *,
        routing: RoutingTable,
        agents: Agents,
        visitors: Visitors,
        greeter: Greeter,
        attachments: Attachments,
        queue_limit: int,
    ) -> None:
        self._queue_limit = queue_limit
        self._routing = routing
        self._agents = agents
        self._visitors = visitors
        self._greeter = greeter
        self._attachments = attachments

    async def admit(self, incoming: Incoming) -> Role | None:
        """Return as what the sender comes in; None where everybody may.

        Raises:
            ChannelError: they may not, or not so fast.
        """
        return await self._visitors.admit(incoming)

    async def greet(self, channel: Channel, stranger: Incoming) -> None:
        """Tell a stranger how to be let in."""
        await self._greeter.greet(channel, stranger)

    async def carry_in(self, incoming: Incoming, clock: Clock) -> Incoming:
        """Keep the files of a message; return it with words that say where they are."""
        return await self._attachments.keep(incoming, at=clock.now())

    def queue_limit(self, role: Role | None) -> int:
        """Return how many messages of one session may wait."""
        return BACKLOG if role == "owner" else self._queue_limit

    def open(self, incoming: Incoming, clock: Clock, *, role: Role | None = None) -> Arrival:
        """Return the arrival that `incoming` is.

        Raises:
            ChannelError: it is empty or too long.
            NotFound: it asks for an agent that does not exist.
        """
        content = clean(incoming.content)
        if not content.strip():
            raise ChannelError("the message is empty")
        if len(content) > MAX_CONTENT:
            raise ChannelError(f"the message has {len(content)} characters; {MAX_CONTENT} are allowed")
        if incoming.agent is not None:
            self._agents.get_agent(incoming.agent)
        own_place = incoming.agent or incoming.session or role == "guest"
        asked_aside = None if own_place else self._mentioned(content)
        return Arrival(
            source=incoming.source,
            content=content,
            key=clean(incoming.key),
            agent_id=incoming.agent or asked_aside or self._routing.resolve(incoming.source),
            pinned=incoming.agent is not None or asked_aside is not None,
            aside=asked_aside is not None,
            session_id=incoming.session,
            new_session=incoming.new_session,
            deliver=incoming.deliver,
            outside=incoming.outside,
            at=clock.now(),
        )

    def _mentioned(self, content: str) -> str | None:
        """Return the agent that a message begins with; a name that no agent has is text."""
        name = mentioned(content)
        if name is None:
            return None
        try:
            self._agents.get_agent(name)
        except NotFound:
            return None
        return name
