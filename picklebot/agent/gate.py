"""Admission: who may take a turn now.

Promises that a session takes one turn at a time, an agent `max_concurrency`, the daemon its ceiling, each first come
first served. Knows no turn and no store.

Locks are taken in one order: session, agent, daemon. So a session that waits for its own turn holds no slot.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary


class Slots:
    """A semaphore whose size may change: an agent's file can be edited while its turns run."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._taken = 0
        self._waiting: deque[asyncio.Future[None]] = deque()

    def resize(self, size: int) -> None:
        """Allow `size` at once from now on; those already in stay in."""
        self.size = size
        self._wake()

    async def __aenter__(self) -> None:
        if self._taken < self.size and not self._waiting:
            self._taken += 1
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(ticket)
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():  # given a slot and cancelled in the same moment
                self._leave()
            else:
                self._waiting.remove(ticket)
            raise

    async def __aexit__(self, *exc: object) -> None:
        self._leave()

    def _leave(self) -> None:
        self._taken -= 1
        self._wake()

    def _wake(self) -> None:
        while self._waiting and self._taken < self.size:
            ticket = self._waiting.popleft()
            if not ticket.done():
                self._taken += 1
                ticket.set_result(None)


class TurnGate:
    """Lets each session take one turn, each agent its slots, and all of them the daemon's."""

    def __init__(self, *, ceiling: int) -> None:
        self._daemon = Slots(ceiling)
        self._agents: dict[str, Slots] = {}
        # A lock lives exactly as long as somebody holds or awaits it.
        self._sessions: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def admit(self, agent_id: str, session_id: str, *, max_concurrency: int) -> AsyncGenerator[None, None]:
        """Wait for the session's turn, then one of the agent's slots, then one of the daemon's."""
        session = self._sessions.setdefault(session_id, asyncio.Lock())
        agent = self._agents.setdefault(agent_id, Slots(max_concurrency))
        if agent.size != max_concurrency:
            agent.resize(max_concurrency)
        async with session, agent, self._daemon:
            yield
