"""Begins turns: one lane a session, read from the inbox table in order.

Promises that every open message is begun as soon as its session, its agent and the daemon have room, and that a
daemon with a hundred thousand of them holds only a bounded number in memory. A task that one agent gave another is not
counted there: its caller has a lane, and waits. Knows no model and no tool.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol

from picklebot.agent.gate import Slots, TurnGate
from picklebot.clock import Clock
from picklebot.core.bus import EventBus, Subscription
from picklebot.core.events import DispatchEvent, InboundEvent, TurnEvent
from picklebot.store.base import Inbox, Turn
from picklebot.workers.turn import TurnTaker

logger = logging.getLogger(__name__)

MAX_LANES = 512  #: sessions with a lane at once, tasks between agents aside; the rest wait in the table
DOORBELLS = 4096  #: rings between two looks of this worker; a publisher waits when there are more
REFILL = 128  #: lanes that are free before the table is looked at for more: the look costs more the more wait


class Concurrency(Protocol):
    """Says how many turns an agent may take at once."""

    def __call__(self, agent_id: str) -> int:
        """Return the limit now; it may change while the daemon runs."""
        ...


class AgentWorker:
    """Runs turns."""

    name = "agent"

    def __init__(
        self,
        *,
        bus: EventBus,
        inbox: Inbox,
        gate: TurnGate,
        taker: TurnTaker,
        concurrency: Concurrency,
        clock: Clock,
    ) -> None:
        self._inbox = inbox
        self._gate = gate
        self._taker = taker
        self._concurrency = concurrency
        self._clock = clock
        self._doorbell: Subscription[TurnEvent] = bus.subscribe(InboundEvent, DispatchEvent, maxsize=DOORBELLS)
        self._lanes: dict[str, asyncio.Event] = {}
        self._look = asyncio.Event()
        self._backlog = False
        self._stopping = False
        self._suspects = Slots(1)  # taken after the gate's locks

    async def run(self, ready: Callable[[], None]) -> None:
        """Begin turns until stopped; then let the running ones finish."""
        async with asyncio.TaskGroup() as lanes:
            finder = lanes.create_task(self._find(lanes), name="agent: waiting sessions")
            ready()
            async for event in self._doorbell:
                if isinstance(event, DispatchEvent):  # its caller has a lane and waits: it must not wait for one too
                    self._ring_or_open(lanes, event.session_id, event.agent_id)
                    continue
                self._ring(lanes, event.session_id, event.agent_id)
                if self._taker.interruptible(event):
                    lanes.create_task(self._taker.interrupt(event.session_id), name=f"interruption by {event.id}")
            finder.cancel()

    def stop(self) -> None:
        """Begin no more turns."""
        self._stopping = True
        self._doorbell.close()

    def room(self, agent_id: str) -> int:
        """Return how many messages to an agent would be begun at once, each in a session that has no other."""
        if self._stopping or len(self._lanes) >= MAX_LANES or self._taker.collecting(agent_id) is not None:
            return 0
        return self._gate.room(agent_id, max_concurrency=self._concurrency(agent_id))

    async def _find(self, lanes: asyncio.TaskGroup) -> None:
        """Give lanes to sessions that wait in the table: those of the last run, deferred ones, and the overflow."""
        while True:
            self._look.clear()  # before looking: a ring while we look means look again
            now = self._clock.now()  # one moment for both questions, so that nothing falls between them
            room = max(2 * MAX_LANES - len(self._lanes), 1)
            found = await self._inbox.due(now, limit=room)
            self._backlog = len(found) == room
            for session_id, agent_id in found:
                # A lane without a turn may just have found its message deferred until this very moment: it looks again.
                if not self._taker.running(session_id):
                    self._ring(lanes, session_id, agent_id)
            await self._clock.wait(self._look, until=await self._inbox.next_due(now))

    def _ring(self, lanes: asyncio.TaskGroup, session_id: str, agent_id: str) -> None:
        if session_id not in self._lanes and len(self._lanes) >= MAX_LANES:
            self._backlog = True  # it stays in the table until lanes are free
        else:
            self._ring_or_open(lanes, session_id, agent_id)

    def _ring_or_open(self, lanes: asyncio.TaskGroup, session_id: str, agent_id: str) -> None:
        if bell := self._lanes.get(session_id):
            bell.set()
        elif not self._stopping:
            self._lanes[session_id] = asyncio.Event()
            lanes.create_task(self._lane(session_id, agent_id), name=f"session {session_id}")

    async def _lane(self, session_id: str, agent_id: str) -> None:
        """Take the session's turns one after the other until none is open."""
        bell = self._lanes[session_id]
        try:
            while not self._stopping:
                bell.clear()  # before looking: a ring while we look means look again
                async with self._gate.admit(agent_id, session_id, max_concurrency=self._concurrency(agent_id)):
                    more = await self._next(session_id, agent_id)
                if not more and not bell.is_set():
                    break
        finally:
            del self._lanes[session_id]
            if self._backlog and len(self._lanes) <= MAX_LANES - REFILL:
                self._look.set()  # others wait in the table for this room

    async def _next(self, session_id: str, agent_id: str) -> bool:
        """Take the session's next turn, if there is one; return whether there may be more."""
        if self._stopping:
            return False
        joining = self._taker.collecting(agent_id)
        turn = await self._inbox.begin(session_id, self._clock.now(), joining=joining)
        if turn is not None and turn.suspect:
            # One at a time, so that the next crash says which of them it was. Not while it waits for another agent.
            await self._gate.join(session_id, self._suspects)
            turn = await self._inbox.begin(session_id, self._clock.now(), alone=True)
        return turn is not None and await self._take(turn)

    async def _take(self, turn: Turn) -> bool:
        taken = await self._taker.take(turn)
        if taken.outcome == "parked":
            self._look.set()  # there is a new moment to wait for
        return taken.more
