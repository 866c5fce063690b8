"""The slash commands about agents and sessions.

Promises answers in markdown, short enough for a phone. Knows no platform.
"""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

from picklebot.agent.routing import RoutingTable
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.definitions.library import Library
from picklebot.errors import NotFound
from picklebot.store.base import Session, Sessions
from picklebot.workers.commands import Command

MAX_LISTED = 15


class SessionCommands:
    """Answers /agents, /agent, /new, /session, /sessions, /compact and /stop."""

    def __init__(
        self,
        *,
        library: Library,
        sessions: Sessions,
        routing: RoutingTable,
        stop: Callable[[str], Awaitable[bool]],
        now: Callable[[], datetime],
    ) -> None:
        """`now` returns the moment in the user's own time zone."""
        self._library = library
        self._sessions = sessions
        self._routing = routing
        self._stop = stop
        self._now = now

    def table(self) -> Mapping[str, Command]:
        """Return the commands by name."""
        commands = [
            Command("agents", "", "Which agents there are.", self._agents),
            Command("agent", "[ID]", "Who answers here, or let another one answer.", self._agent),
            Command("new", "", "Start a fresh session.", self._new),
            Command("session", "[ID]", "This session, or go on with another one.", self._session),
            Command("sessions", "", "Sessions of this place.", self._list),
            Command("compact", "[WHAT TO KEEP]", "Show the model less of this conversation; it is kept.", _queued),
            Command("stop", "", "Stop the turn that runs, or what waits if none does.", self._stop_turn),
        ]
        return {command.name: command for command in commands}

    async def _agents(self, source: Source, argument: str) -> str:
        return "\n".join(
            f"- **{spec.id}**: {shorten(spec.description, 100) or spec.name}" for spec in self._library.agents.values()
        )

    async def _agent(self, source: Source, argument: str) -> str:
        if not argument:
            session = await self._sessions.current(source)
            agent_id = session.agent_id if session else self._routing.resolve(source)
            spec = self._library.get_agent(agent_id)
            return f"**{spec.id}** answers here. {shorten(spec.description, 200)}"
        spec = self._library.get_agent(argument)
        for session in await self._sessions.recent(source=source):
            if session.agent_id == spec.id:
                await self._sessions.switch(source, session.id)
                return f"**{spec.id}** answers from now on, in session {session.id} ({session.turns} turns so far)."
        session = await self._sessions.start(source, spec.id, at=self._now())
        return f"**{spec.id}** answers from now on, in the new session {session.id}."

    async def _new(self, source: Source, argument: str) -> str:
        agent_id = self._routing.resolve(source)
        session = await self._sessions.start(source, agent_id, at=self._now())
        return f"A fresh session with **{agent_id}**: {session.id}."

    async def _session(self, source: Source, argument: str) -> str:
        if not argument:
            session = await self._current(source)
            return f"Session {_line(session)}"
        owned = [s for s in await self._sessions.recent(source=source, limit=500) if s.id.startswith(argument)]
        if len(owned) != 1:
            raise NotFound(f"{'several sessions' if owned else 'no session'} of this place begin with {argument!r}")
        session = await self._sessions.switch(source, owned[0].id)
        return f"Back in session {_line(session)}"

    async def _list(self, source: Source, argument: str) -> str:
        sessions = await self._sessions.recent(source=source, limit=MAX_LISTED)
        return "\n".join(f"- {_line(session)}" for session in sessions) or "There are no sessions here yet."

    async def _stop_turn(self, source: Source, argument: str) -> str:
        session = await self._sessions.current(source)
        return "Stopping." if session and await self._stop(session.id) else "Nothing is running here."

    async def _current(self, source: Source) -> Session:
        session = await self._sessions.current(source)
        if session is None:
            raise NotFound("there is no session here yet: say something first")
        return session


async def _queued(source: Source, argument: str) -> str:
    raise NotFound("this can only be sent as a message: it waits for its turn in a conversation")


def _line(session: Session) -> str:
    when = f"{session.updated_at:%Y-%m-%d %H:%M} UTC"
    return f"{session.id} with **{session.agent_id}**, {session.turns} turns, {when}: {session.title or '(empty)'}"
