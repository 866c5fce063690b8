"""An event loop in which nothing is left to chance but what its random numbers decide.

Promises that one seed gives one order of steps: each step runs one ready callback, picked at random, and time passes
only when nothing is ready. Work for threads is done at once. Knows nothing of what it runs.
"""

import asyncio
import heapq
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from itertools import count
from random import Random
from typing import Any, TypeVar, TypeVarTuple

T = TypeVar("T")
Ts = TypeVarTuple("Ts")
BUDGET = 200_000  #: steps of one life; one that needs more goes round in circles


class Crash(BaseException):
    """The process dies between two steps. Its tasks are not cancelled: they just never go on."""


class Stuck(Exception):
    """Nothing will ever happen again, or nothing else: a deadlock or a livelock."""


class SimTask(asyncio.Task[Any]):
    """A task whose place in a set does not hang on its address."""

    def __init__(self, coro: Any, *, number: int, **settings: Any) -> None:
        self._number = number
        super().__init__(coro, **settings)

    def __hash__(self) -> int:
        return self._number


class SimLoop(asyncio.BaseEventLoop):
    """Runs callbacks in random order on its own time. `crash_after` is the number of the last step, if it is to die."""

    # Names of the base class that its stubs leave out.
    _ready: deque[asyncio.Handle]
    _scheduled: list[asyncio.TimerHandle]

    def __init__(self, rng: Random, *, now: float, crash_after: int | None = None, budget: int = BUDGET) -> None:
        super().__init__()
        self.steps = 0
        self.trace = 0
        self.crash_after = crash_after
        self._budget = budget
        self._rng = rng
        self._now = now
        self._numbers = count(1)
        self.set_task_factory(self._task)
        self.set_exception_handler(lambda loop, context: None)  # what nobody awaits is judged by what it leaves

    def time(self) -> float:
        return self._now

    def call_soon_threadsafe(
        self, callback: Callable[[*Ts], object], *args: *Ts, context: Context | None = None
    ) -> asyncio.Handle:
        return self.call_soon(callback, *args, context=context)

    def run_in_executor(self, executor: Any, func: Callable[[*Ts], T], *args: *Ts) -> asyncio.Future[T]:
        future: asyncio.Future[T] = self.create_future()
        try:
            future.set_result(func(*args))
        except Exception as exc:  # as an executor does: whoever waits gets it
            future.set_exception(exc)
        return future

    def bury(self) -> None:
        """End what a crash left hanging, where nobody sees it: otherwise the collector would do so at any time."""
        self.crash_after, self._budget = None, self.steps + BUDGET
        left = asyncio.all_tasks(self)
        for task in left:
            task.cancel()
        ending = self.create_task(_end(self, left))
        with suppress(RuntimeError):
            self.run_until_complete(ending)
        if not ending.done():  # the crash came after the end of a life and before the loop had heard of it
            self.run_until_complete(ending)
        self.close()

    def _task(self, loop: asyncio.AbstractEventLoop, coro: Any, **settings: Any) -> SimTask:
        return SimTask(coro, number=next(self._numbers), loop=loop, **settings)

    def _run_once(self) -> None:
        if self.crash_after is not None and self.steps >= self.crash_after:
            raise Crash
        self.steps += 1
        if self.steps > self._budget:
            raise Stuck(f"{self.steps - 1:,} steps were not enough, at {self._now:.3f} s")
        if not self._ready:
            self._jump()
        self._wake()
        at = self._rng.randrange(len(self._ready))
        self.trace = hash((self.trace, at, len(self._ready)))
        handle = self._ready[at]
        del self._ready[at]
        if not handle.cancelled():
            handle._run()

    def _jump(self) -> None:
        """Let time pass until a timer is due."""
        while self._scheduled and self._scheduled[0].cancelled():
            heapq.heappop(self._scheduled)
        if not self._scheduled:
            raise Stuck(f"everybody waits and nobody is due, at {self._now:.3f} s")
        self._now = max(self._now, self._scheduled[0].when())

    def _wake(self) -> None:
        while self._scheduled and self._scheduled[0].when() <= self._now:
            timer = heapq.heappop(self._scheduled)
            if not timer.cancelled():
                self._ready.append(timer)


async def _end(loop: asyncio.AbstractEventLoop, tasks: set[asyncio.Task[Any]]) -> None:
    await asyncio.gather(*tasks, return_exceptions=True)
    await loop.shutdown_asyncgens()
