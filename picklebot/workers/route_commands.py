"""The slash commands about routing: /route and /bindings.

Promises that what is bound here is on disk before it is said, and that only the owner binds places other than their
own. Knows no platform.
"""

from collections.abc import Callable, Mapping
from datetime import datetime

from picklebot.agent.routing import TIERS, Binding, RoutingTable
from picklebot.core.source import MAX_LENGTH, Source
from picklebot.definitions.library import Library
from picklebot.errors import NotFound
from picklebot.store.base import Bindings, MadeBinding, Sessions
from picklebot.workers.commands import Command

DEFAULT = "default"  #: in the place of an agent: take the binding away


class RouteCommands:
    """Answers /route and /bindings."""

    def __init__(
        self,
        *,
        library: Library,
        sessions: Sessions,
        bindings: Bindings,
        routing: RoutingTable,
        is_owner: Callable[[Source], bool],
        now: Callable[[], datetime],
    ) -> None:
        """`routing` is the table that the door asks: it learns of what is made here."""
        self._library = library
        self._sessions = sessions
        self._bindings = bindings
        self._routing = routing
        self._is_owner = is_owner
        self._now = now

    def table(self) -> Mapping[str, Command]:
        """Return the commands by name."""
        commands = [
            Command("route", "[PATTERN] [AGENT]", "Who answers here and why, or bind this place.", self._route),
            Command("bindings", "", "Which sources go to which agent.", self._list),
        ]
        return {command.name: command for command in commands}

    async def _list(self, source: Source, argument: str) -> str:
        lines = [
            f"{b.tier}. `{b.pattern}` goes to **{b.agent_id}**{' (made by /route)' if b.made else ''}"
            for b in self._routing.bindings
        ]
        return "\n".join([*lines, f"Everything else goes to **{self._routing.default}**."])

    async def _route(self, source: Source, argument: str) -> str:
        match argument.rsplit(maxsplit=1):
            case []:
                return await self._explain(source)
            case [agent_id]:
                return await self._change(source, str(source), agent_id, literal=True)
            case [pattern, agent_id] if self._is_owner(source):
                return await self._change(source, pattern, agent_id, literal=False)
            case _:
                return "Only the owner may bind other sources. `/route AGENT` binds this one."

    async def _explain(self, source: Source) -> str:
        routed = f"**{self._routing.resolve(source)}**, {_reason(self._routing.binding(source))}"
        session = await self._sessions.current(source)
        if session is None:
            return f"The first message here goes to {routed}."
        return f"**{session.agent_id}** answers here, in session {session.id}. After /new it is {routed}."

    async def _change(self, source: Source, pattern: str, agent_id: str, *, literal: bool) -> str:
        if len(pattern) > MAX_LENGTH:
            raise NotFound(f"no source is longer than {MAX_LENGTH} characters, and this pattern has {len(pattern)}")
        rest = [b for b in self._routing.made if (b.pattern, b.literal) != (pattern, literal)]
        binding = MadeBinding(pattern=pattern, literal=literal, agent_id=agent_id)
        if agent_id == DEFAULT:
            if len(rest) == len(self._routing.made):
                raise NotFound(f"`{pattern}` was not bound by /route; /bindings shows what is bound")
            made = rest
        else:
            self._library.get_agent(agent_id)
            made = [*rest, Binding(pattern, agent_id, literal=literal, made=True)]
        answers = self._routing.with_made(made).resolve(source)
        if agent_id == DEFAULT:
            await self._bindings.unbind(binding, here=source, answers=answers, at=self._now())
        else:
            await self._bindings.bind(binding, here=source, answers=answers, at=self._now())
        # Two of these at once are two that were made: what is on disk is what counts.
        kept = await self._bindings.all()
        self._routing.learn(Binding(b.pattern, b.agent_id, literal=b.literal, made=True) for b in kept)
        return self._told(source, binding)

    def _told(self, source: Source, binding: MadeBinding) -> str:
        here = f"Here it is **{self._routing.resolve(source)}** who answers, {_reason(self._routing.binding(source))}."
        if binding.agent_id == DEFAULT:
            return f"`{binding.pattern}` is bound no more. {here}"
        if binding.literal:
            return f"This place is bound to **{binding.agent_id}**. Your next message goes to a session with it."
        return f"`{binding.pattern}` is bound to **{binding.agent_id}**, from the next new session on. {here}"


def _reason(binding: Binding | None) -> str:
    if binding is None:
        return "the default agent, as no binding matches"
    where = "made by /route" if binding.made else "of config.yaml"
    return f"by the binding `{binding.pattern}` (tier {binding.tier}, {TIERS[binding.tier]}, {where})"
