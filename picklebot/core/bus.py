"""The event bus: a routing table, and no more.

It owns no task and no thread, so it has nothing to start, stop or crash. Each subscriber reads its own
bounded inbox, at its own pace, in its own task. It knows nothing of durability: an event is a doorbell.
"""

import asyncio
from collections import deque
from enum import Enum
from types import TracebackType
from typing import Any, Generic, TypeVar

from picklebot.core.events import Event

E = TypeVar("E", bound=Event)


class Overflow(Enum):
    """What happens to an event that finds an inbox full."""

    WAIT = "wait"  #: the publisher waits; for workers, which must see everything
    DROP_OLDEST = "drop_oldest"  #: the oldest goes; for observers, which must slow nobody


class Subscription(Generic[E]):
    """An inbox. Iterate to receive; iteration ends once it is closed *and* empty."""

    def __init__(self, kinds: tuple[type[E], ...], *, maxsize: int, overflow: Overflow) -> None:
        if maxsize < 1:
            raise ValueError(f"an inbox holds at least one event, not {maxsize!r}")
        self.kinds = kinds
        self.closed = False
        self.dropped = 0
        self._maxsize = maxsize
        self._overflow = overflow
        self._events: deque[E] = deque()
        self._readable = asyncio.Event()
        self._publishers: deque[asyncio.Future[None]] = deque()  # who waits for room, first come first served

    def close(self) -> None:
        """Take no more events. What is already here can still be read."""
        self.closed = True
        self._readable.set()
        while self._publishers:
            self._let_one_in()

    def __enter__(self) -> "Subscription[E]":
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __len__(self) -> int:
        return len(self._events)

    def __aiter__(self) -> "Subscription[E]":
        return self

    async def __anext__(self) -> E:
        while not self._events:
            if self.closed:
                raise StopAsyncIteration
            self._readable.clear()
            await self._readable.wait()
        event = self._events.popleft()
        self._let_one_in()
        return event

    def offer_nowait(self, event: E) -> bool:
        """Take `event`, or return False where a worker's inbox has no room for it."""
        if self.closed:
            return True
        if len(self._events) >= self._maxsize:
            if self._overflow is Overflow.WAIT:
                return False
            self._events.popleft()
            self.dropped += 1
        self._events.append(event)
        self._readable.set()
        return True

    async def offer(self, event: E) -> None:
        """Take `event`, making or awaiting room for it."""
        while not self.offer_nowait(event):
            place: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._publishers.append(place)
            try:
                await place
            except asyncio.CancelledError:
                if not place.cancelled():
                    self._let_one_in()  # the place was given to us, and we leave
                raise

    def _let_one_in(self) -> None:
        while self._publishers:
            place = self._publishers.popleft()
            if not place.done():
                place.set_result(None)
                return


class EventBus:
    """Gives each published event to every subscriber to its type."""

    def __init__(self) -> None:
        self._subscriptions: list[Subscription[Any]] = []
        self._routes: dict[type[Event], tuple[Subscription[Any], ...]] = {}

    def subscribe(self, *kinds: type[E], maxsize: int = 64, overflow: Overflow = Overflow.WAIT) -> Subscription[E]:
        """Open an inbox for events of `kinds`, subclasses included."""
        subscription = Subscription(kinds, maxsize=maxsize, overflow=overflow)
        self._subscriptions = [s for s in self._subscriptions if not s.closed]
        self._subscriptions.append(subscription)
        self._routes.clear()
        return subscription

    def wanted(self, kind: type[Event]) -> bool:
        """Return whether anybody would hear an event of `kind`: notices need not be made for nobody."""
        return bool(self._route(kind))

    async def publish(self, event: Event) -> None:
        """Put `event` in every matching inbox, in order of subscription."""
        for subscription in self._route(type(event)):
            if not subscription.offer_nowait(event):
                await subscription.offer(event)

    def _route(self, kind: type[Event]) -> tuple[Subscription[Any], ...]:
        route = self._routes.get(kind)
        if route is None:
            route = tuple(s for s in self._subscriptions if not s.closed and issubclass(kind, s.kinds))
            self._routes[kind] = route
        return route
