"""Admission: who may take a turn now.

Promises that a session takes one turn at a time, an agent `max_concurrency`, the daemon its ceiling, each first come
first served; and that a turn which waits for another agent holds no slot meanwhile. Knows no turn and no store.

Locks are taken in one order: session, agent, daemon, and what a turn joins later. So a session that waits for its own
turn holds no slot. A turn that comes back takes its slots in that order too, before those who have not begun.
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
        self._returning: deque[asyncio.Future[None]] = deque()  # who had a slot before; they go first

    @property
    def room(self) -> int:
        """How many would be let in at once."""
        return 0 if self._waiting or self._returning else max(self.size - self._taken, 0)

    def resize(self, size: int) -> None:
        """Allow `size` at once from now on; those already in stay in."""
        self.size = size
        self._wake()

    async def take(self, *, back: bool = False) -> None:
        """Wait for a slot, with `back` ahead of all who have not had one."""
        queue = self._returning if back else self._waiting
        if self._taken < self.size and not self._returning and (back or not self._waiting):
            self._taken += 1
            return
        ticket: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(ticket)
        try:
            await ticket
        except asyncio.CancelledError:
            if ticket.done() and not ticket.cancelled():  # given a slot and cancelled in the same moment
                self.give()
            elif ticket in queue:  # it is not, where a slot came free after it was cancelled and before we heard of it
                queue.remove(ticket)
            raise

    def give(self) -> None:
        """Give a slot back."""
        self._taken -= 1
        self._wake()

    def _wake(self) -> None:
        while self._taken < self.size and (queue := self._returning or self._waiting):
            ticket = queue.popleft()
            if not ticket.done():
                self._taken += 1
                ticket.set_result(None)


class Admission:
    """The slots of one turn, in the order in which they are taken."""

    def __init__(self, *slots: Slots) -> None:
        self._slots = list(slots)
        self._held: list[Slots] = []
        self._absent = 0
        self._coming_back = asyncio.Lock()

    async def join(self, slots: Slots) -> None:
        """Wait for one more slot, held until the turn ends, but for its absences."""
        self._slots.append(slots)
        await slots.take()
        self._held.append(slots)

    async def take(self, *, back: bool = False) -> None:
        """Wait for all slots."""
        for slots in self._slots:
            await slots.take(back=back)
            self._held.append(slots)

    def give(self) -> None:
        """Give back what is held."""
        while self._held:
            self._held.pop().give()

    @asynccontextmanager
    async def away(self) -> AsyncGenerator[None, None]:
        """Hold no slot for as long as the block lasts, and until the last such block of this turn has ended.

        Other calls of the same step go on meanwhile: what is counted is turns that ask models, not what their tools
        do. Who leaves the block with an error does not come back: that ends the turn.
        """
        self._absent += 1
        self.give()
        try:
            yield
        finally:
            self._absent -= 1
        async with self._coming_back:
            # Another call may leave while this one comes back: then what is held is given away again, and not missed.
            while not self._absent and len(self._held) < len(self._slots):
                self.give()
                await self.take(back=True)
            if self._absent:
                self.give()


class TurnGate:
    """Lets each session take one turn, each agent its slots, and all of them the daemon's."""

    def __init__(self, *, ceiling: int) -> None:
        self._daemon = Slots(ceiling)
        self._agents: dict[str, Slots] = {}
        self._admitted: dict[str, Admission] = {}
        # A lock lives exactly as long as somebody holds or awaits it.
        self._sessions: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @asynccontextmanager
    async def admit(self, agent_id: str, session_id: str, *, max_concurrency: int) -> AsyncGenerator[Admission, None]:
        """Wait for the session's turn, then one of the agent's slots, then one of the daemon's."""
        session = self._sessions.setdefault(session_id, asyncio.Lock())
        agent = self._slots_of(agent_id, max_concurrency)
        async with session:
            admission = self._admitted[session_id] = Admission(agent, self._daemon)
            try:
                await admission.take()
                yield admission
            finally:
                del self._admitted[session_id]
                admission.give()

    def room(self, agent_id: str, *, max_concurrency: int) -> int:
        """Return how many turns of an agent would be let in at once, each in a session of its own."""
        return min(self._slots_of(agent_id, max_concurrency).room, self._daemon.room)

    def _slots_of(self, agent_id: str, size: int) -> Slots:
        agent = self._agents.setdefault(agent_id, Slots(size))
        if agent.size != size:
            agent.resize(size)
        return agent

    async def join(self, session_id: str, slots: Slots) -> None:
        """Wait for one more slot for this session's turn, held until the turn ends."""
        await self._admitted[session_id].join(slots)

    @asynccontextmanager
    async def away(self, session_id: str) -> AsyncGenerator[None, None]:
        """Let others have the slots of this session's turn for as long as the block lasts."""
        async with self._admitted[session_id].away():
            yield
