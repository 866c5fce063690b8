"""The turns in hand, and which of them was begun for which.

Promises that a task which one agent gave another is played only while the turn that gave it is in hand and waits: it
can spend nothing that its caller has not, and it ends when its caller does. Knows no queue and no tool's work.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from picklebot.agent.calls import PutBack
from picklebot.core.events import DispatchEvent, TurnEvent
from picklebot.core.rights import Rights, Sandbox
from picklebot.errors import TurnError
from picklebot.store.base import Turn

NOT_INHERITED = frozenset({"post_message", "schedule_task", "list_tasks", "cancel_task"})
"""Tools that belong to the place where a turn began."""


class Callers(Protocol):
    """What the store knows of tasks and their callers."""

    async def waits(self, event_id: str) -> bool:
        """Return whether the turn of this event has not ended."""
        ...

    async def excuse(self, event_id: str) -> None:
        """Take the attempts of a turn back but for one: it waits, and what crashes from here on is not it."""
        ...

    async def abandon(self, event_id: str) -> Sequence[DispatchEvent]:
        """Return the open tasks given by a turn that has ended, due at once so that they can end too."""
        ...

    async def wake(self, event_id: str) -> TurnEvent | None:
        """Let a turn that was put off go on now; return its event if it was."""
        ...

    async def spent(self, event_id: str) -> float:
        """Return what the tasks below a turn have cost so far, in USD."""
        ...


@dataclass(slots=True, kw_only=True, eq=False)
class Member:
    """A turn in hand, and what it may do. `ends` is on the loop's own clock, by which its time is measured."""

    event: TurnEvent
    attempts: int
    tools: Sequence[str]
    sandbox: Sandbox
    steps: int
    ends: float
    asking: Sequence[str] = ()
    """Tools for which it must ask the owner."""

    @property
    def chain(self) -> tuple[str, ...]:
        """The agents that wait for one another, from the first to this one."""
        before = self.event.rights.callers if isinstance(self.event, DispatchEvent) else ()
        return (*before, self.event.agent_id)

    def leave_to(self, step: int, now: float) -> Rights:
        """Return the rights of a task that is given in `step`."""
        return Rights(
            callers=self.chain,
            tools=tuple(name for name in self.tools if name not in NOT_INHERITED),
            sandbox=self.sandbox,
            steps=max(self.steps - step - 1, 1),
            seconds=max(self.ends - now, 1.0),
            asking=tuple(self.asking),
        )


class Family:
    """Who is in hand."""

    def __init__(self, callers: Callers | None = None) -> None:
        """Without `callers` no turn is begun for another one."""
        self._callers = callers
        self._members: dict[str, Member] = {}
        self._called: set[str] = set()  # turns that gave a task, until these were looked after

    def of(self, event_id: str) -> Member | None:
        """Return the turn in hand that answers this event."""
        return self._members.get(event_id)

    async def look_back(self, turn: Turn) -> float:
        """Return what tasks below a turn have cost before it was begun anew.

        Raises:
            TurnError: it was begun for a turn that has ended.
            PutBack: it was begun for a turn that is not in hand yet.
        """
        if self._callers is None:
            return 0.0
        if isinstance(turn.event, DispatchEvent):
            await self._meet_caller(turn.event, self._callers)
        return await self._callers.spent(turn.event.id) if turn.steps else 0.0

    async def _meet_caller(self, event: DispatchEvent, callers: Callers) -> None:
        cause_id = event.cause_id or ""
        if not await callers.waits(cause_id):
            raise TurnError("the turn that asked for it has ended")
        caller = self._caller_of(event)
        if caller.attempts > 1:  # once for each attempt of this turn, which is counted: so no crash goes on for ever
            await callers.excuse(cause_id)

    def _caller_of(self, event: DispatchEvent) -> Member:
        caller = self._members.get(event.cause_id or "")
        if caller is None:
            raise PutBack("the turn that asked for it is not in hand yet")
        return caller

    def enter(self, member: Member) -> None:
        """Take a turn in hand.

        Raises:
            PutBack: it was begun for a turn that is not in hand yet, and will be begun again by that.
        """
        if isinstance(member.event, DispatchEvent):
            self._caller_of(member.event)
        self._members[member.event.id] = member

    def leave(self, event_id: str) -> None:
        """Let go of a turn."""
        self._members.pop(event_id, None)

    def calls(self, event_id: str) -> None:
        """Remember that a turn has given a task."""
        self._called.add(event_id)

    async def left_by(self, turn: Turn) -> Sequence[DispatchEvent]:
        """Return the open tasks that a turn gave which has ended: due at once, so that they can end too."""
        called = turn.id in self._called or bool(turn.steps)
        self._called.discard(turn.id)
        return await self._callers.abandon(turn.id) if called and self._callers else []

    async def wake_caller(self, event: TurnEvent) -> TurnEvent | None:
        """Let the turn that gave this task go on, if it was put off; return its event then."""
        if self._callers is None or not isinstance(event, DispatchEvent) or event.cause_id in self._members:
            return None
        return await self._callers.wake(event.cause_id or "")

    def called_by(self, event_id: str) -> Sequence[DispatchEvent]:
        """Return the tasks in hand that this turn gave."""
        tasks = (member.event for member in self._members.values())
        return [task for task in tasks if isinstance(task, DispatchEvent) and task.cause_id == event_id]

    def above(self, event: TurnEvent) -> Sequence[str]:
        """Return the events of the turns that wait for this one, the nearest first."""
        found: list[str] = []
        while isinstance(event, DispatchEvent) and (member := self._members.get(event.cause_id or "")):
            event = member.event
            found.append(event.id)
        return found
