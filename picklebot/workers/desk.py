"""What a terminal asks of its daemon beside talking: where it is, where else it may go, what a turn has cost.

Promises the same answers to a terminal in this process and to one that joined it. Knows no screen and no wire.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from picklebot.agent.prompt import spoken
from picklebot.agent.routing import RoutingTable
from picklebot.core.source import Source
from picklebot.core.talk import Bill, Delay, Place, Wish, Words
from picklebot.core.text import shorten
from picklebot.definitions.library import Library
from picklebot.errors import NotFound
from picklebot.store.base import Inbox, Ledger, Refusals, Sessions
from picklebot.workers.commands import Commands

MAX_DESCRIPTION = 60  #: characters of what is said of an agent in a menu


class Desk:
    """Tells a terminal where it is, and lets it go elsewhere."""

    def __init__(
        self,
        *,
        library: Library,
        sessions: Sessions,
        commands: Commands,
        routing: RoutingTable,
        model_of: Callable[[str], str],
        now: Callable[[], datetime],
    ) -> None:
        """`model_of` returns the name of the model with which an agent answers, "" where there is no such agent."""
        self._library = library
        self._sessions = sessions
        self._commands = commands
        self._routing = routing
        self._model_of = model_of
        self._now = now

    async def enter(self, source: Source, wish: Wish) -> Place:
        """Go where `wish` says, and return where that is, with what was said there last.

        Raises:
            NotFound: there is no such agent or session, or the session is another agent's.
        """
        if wish.agent is not None and wish.session is None:
            await self._commands.run(source, ("agent", wish.agent))
        if wish.session is not None:
            session = await self._sessions.get(wish.session)
            if wish.agent not in {None, session.agent_id}:
                raise NotFound(f"session {session.id} is one of {session.agent_id!r}, not of {wish.agent!r}")
            await self._sessions.switch(source, session.id)
        if wish.new and wish.agent is not None:
            await self._sessions.start(source, self._library.get_agent(wish.agent).id, at=self._now())
        elif wish.new:
            await self._commands.run(source, ("new", ""))
        place = await self.place(source)
        if place.session_id is None or not place.turns:
            return place
        asked, answered = await self._last_exchange(place.session_id)
        return replace(place, asked=asked, answered=answered)

    async def place(self, source: Source) -> Place:
        """Return where a message from `source` would go now."""
        session = await self._sessions.current(source)
        agent_id = session.agent_id if session else self._routing.resolve(source)
        return Place(
            agent_id=agent_id,
            model=self._model_of(agent_id),
            session_id=session.id if session else None,
            turns=session.turns if session else 0,
        )

    async def find(self, session_id: str) -> str:
        """Return the whole id of a session, of which a beginning will do.

        Raises:
            NotFound: no session, or more than one, begins so.
        """
        return (await self._sessions.get(session_id)).id

    def words(self) -> Words:
        """Return what can be typed."""
        return Words(
            commands=[(each.name, each.usage, each.summary) for each in self._commands.known],
            agents=[(spec.id, shorten(spec.description, MAX_DESCRIPTION)) for spec in self._library.agents.values()],
        )

    async def _last_exchange(self, session_id: str) -> tuple[str, str]:
        """Return what was asked last, and what was answered, "" where nothing was yet."""
        said = [message for message in await self._sessions.transcript(session_id) if spoken(message).strip()]
        asked = next((spoken(message) for message in reversed(said) if message.role == "user"), "")
        return asked, spoken(said[-1]) if said and said[-1].role == "assistant" else ""


class Accounts:
    """Says what holds a session up, and what a turn has cost."""

    def __init__(
        self, *, inbox: Inbox, refusals: Refusals, ledger: Ledger, sessions: Sessions, now: Callable[[], datetime]
    ) -> None:
        self._inbox = inbox
        self._refusals = refusals
        self._ledger = ledger
        self._sessions = sessions
        self._now = now

    async def delay(self, session_id: str) -> Delay | None:
        """Return until when a session waits, if it does."""
        now = self._now()
        until = await self._inbox.parked_until(session_id, now)
        if until is None:
            return None
        return Delay(until=until, spent=await self._refusals.holds(session_id, now))

    async def bill(self, event_id: str, session_id: str) -> Bill:
        """Return what the turn of a message has used so far."""
        spend = await self._ledger.of_turn(event_id)
        session = await self._sessions.get(session_id)
        return Bill(
            agent_id=session.agent_id,
            input_tokens=spend.usage.context_tokens,
            output_tokens=spend.usage.output_tokens,
            cost_usd=spend.cost_usd,
        )
