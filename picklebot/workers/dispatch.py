"""Carries tasks from one agent to another, and the answers back.

Promises that one tool call gives one task, also where the daemon was killed in between; that the caller holds no slot
while it waits; and that it waits no longer than there is something to wait for. Knows no model.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Protocol

from picklebot.agent.asking import Parked
from picklebot.agent.calls import PutBack
from picklebot.agent.gate import TurnGate
from picklebot.clock import Clock
from picklebot.core.bus import EventBus
from picklebot.core.events import DispatchEvent, DispatchResultEvent, Event, TurnFinished
from picklebot.core.ids import new_id
from picklebot.core.source import Source
from picklebot.definitions.agents import AgentSpec
from picklebot.definitions.values import nearest
from picklebot.errors import ToolError
from picklebot.store.base import Dispatches
from picklebot.tools.base import ToolContext
from picklebot.workers.family import Family, Member

logger = logging.getLogger(__name__)

NEWS = 4096  #: results and endings between two looks of this worker


class Roster(Protocol):
    """Every agent there is, in its version of this moment."""

    def __call__(self) -> Sequence[AgentSpec]:
        """Return them by id."""
        ...


def callees(spec: AgentSpec, roster: Sequence[AgentSpec]) -> list[AgentSpec]:
    """Return whom an agent may call."""
    return [each for each in roster if each.id != spec.id and (spec.dispatch is None or each.id in spec.dispatch)]


class DispatchWorker:
    """A `Dispatcher`, and the worker that hears of results."""

    name = "dispatch"

    def __init__(
        self,
        *,
        bus: EventBus,
        dispatches: Dispatches,
        gate: TurnGate,
        family: Family,
        rules: "DispatchRules",
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._dispatches = dispatches
        self._gate = gate
        self._family = family
        self._rules = rules
        self._clock = clock
        kinds: tuple[type[Event], ...] = (DispatchResultEvent, TurnFinished)
        self._news = bus.subscribe(*kinds, maxsize=NEWS)
        self._bells: dict[str, asyncio.Event] = {}
        self._stopping = False

    async def run(self, ready: Callable[[], None]) -> None:
        """Wake whoever waits for a task of which there is news."""
        ready()
        async for event in self._news:
            if bell := self._bells.get(event.cause_id or ""):
                bell.set()

    def stop(self) -> None:
        """Put back every turn that waits for another agent: both go on after the next start."""
        self._stopping = True
        for bell in self._bells.values():
            bell.set()
        self._news.close()

    async def dispatch(self, context: ToolContext, agent_id: str, task: str) -> DispatchResultEvent:
        """Give the task, once for one `context.key`, and wait for what comes of it.

        Raises:
            ToolError: this agent may not be called, in words.
            Parked: the task is put off, and so is the turn that waits for it.
            PutBack: the daemon stops.
        """
        caller = self._family.of(context.cause_id)
        if caller is None:
            raise ToolError("nobody is here who could wait for the answer")
        event = await self._dispatches.seen(context.key)
        if event is None:
            self._rules.check(caller, agent_id)
        # Before the task is there: who is stopped meanwhile has given it all the same.
        self._family.calls(context.cause_id)
        if event is None:
            event = await self._dispatches.accept(self._task(caller, context, agent_id, task))
        bell = self._bells[event.id] = asyncio.Event()
        try:
            result = await self._look(event)
            if result is None:
                await self._bus.publish(event)
                async with self._gate.away(context.session_id):
                    result = await self._wait(event, bell)
        finally:
            del self._bells[event.id]
        return result

    async def _wait(self, event: DispatchEvent, bell: asyncio.Event) -> DispatchResultEvent:
        while True:
            bell.clear()  # before looking: a ring while we look means look again
            if (result := await self._look(event)) is not None:
                return result
            if self._stopping:
                raise PutBack(f"picklebot stops while {event.agent_id} works")
            await bell.wait()

    async def _look(self, event: DispatchEvent) -> DispatchResultEvent | None:
        standing = await self._dispatches.standing(event.id, self._clock.now())
        if standing.parked_until is not None:
            raise Parked(f"{event.agent_id}, whom I asked, has to wait: {standing.why}", until=standing.parked_until)
        return standing.result

    def _task(self, caller: Member, context: ToolContext, agent_id: str, task: str) -> DispatchEvent:
        return DispatchEvent(
            session_id=new_id(),
            source=Source("agent", (context.agent_id,)),
            cause_id=context.cause_id,
            created_at=self._clock.now(),
            agent_id=agent_id,
            content=task,
            parent_session_id=context.session_id,
            tool_call_id=context.key,
            rights=replace(caller.leave_to(context.step, asyncio.get_running_loop().time()), marks=context.marks),
        )


class DispatchRules:
    """Who may call whom, in words."""

    def __init__(self, roster: Roster, *, depth: int) -> None:
        self._roster = roster
        self._depth = depth

    def check(self, caller: Member, agent_id: str) -> None:
        """Refuse a call that may not be made.

        Raises:
            ToolError: with the reason, for the model.
        """
        chain, roster = caller.chain, self._roster()
        may = [each.id for each in callees(next(s for s in roster if s.id == chain[-1]), roster)]
        if agent_id in chain:
            ring = " -> ".join((*chain, agent_id))
            raise ToolError(f"{agent_id} waits for this answer itself ({ring}): do it yourself, or ask somebody else")
        if agent_id not in may:
            near = nearest(agent_id, may)
            hint = f"did you mean {near!r}?" if near else f"you may call: {', '.join(may) or 'nobody'}"
            known = any(each.id == agent_id for each in roster)
            reason = f"{chain[-1]} may not call {agent_id!r}" if known else f"there is no agent {agent_id!r}"
            raise ToolError(f"{reason}; {hint}")
        if len(chain) > self._depth:
            raise ToolError(
                f"agents call one another at most {self._depth} deep (limits.dispatch_depth), and this is "
                f"{' -> '.join(chain)}: do this part yourself"
            )
