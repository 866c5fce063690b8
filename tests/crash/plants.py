"""Bugs on purpose: each breaks one promise in a daemon of the nursery, so that the harness can show that it sees it.

Planted by name, in the forked child and before it runs. Knows the parts of the daemon that it spoils, and no judge.
"""

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, replace
from typing import Any

from picklebot.agent.calls import CallRunner
from picklebot.agent.gate import Admission, TurnGate
from picklebot.core.journal import CallState
from picklebot.core.messages import ToolCall, ToolResult
from picklebot.store import instants, outbox
from picklebot.store.base import Claimed, Conclusion, Firing, Row
from picklebot.store.jobs import SqliteJobBook
from picklebot.store.turns import SqliteTurns
from picklebot.store.writer import Writer, _attempt, _settle, _Waiting
from picklebot.workers.agent import AgentWorker
from tests.crash.moments import Aim


def _plant(owner: type, name: str, spoiled: Callable[..., Any]) -> None:
    setattr(owner, name, spoiled)


def two_transactions() -> None:
    """The turn is finished in one transaction, and its reply goes into the outbox in the next."""
    finish = SqliteTurns.finish

    async def spoiled(self: SqliteTurns, conclusion: Conclusion) -> None:
        await finish(self, replace(conclusion, outbound=()))

        def second(connection: sqlite3.Connection) -> None:
            for event in conclusion.outbound:
                outbox.reply(connection, event)

        await self._database.write(second)

    _plant(SqliteTurns, "finish", spoiled)


def rerun() -> None:
    """A call that was started and left no result is run again, whatever its effect class."""
    settle = CallRunner._settle

    async def spoiled(
        self: CallRunner, step: int, call: ToolCall, *, interrupted: bool
    ) -> tuple[CallState, ToolResult]:
        del interrupted
        return await settle(self, step, call, interrupted=False)

    _plant(CallRunner, "_settle", spoiled)


def early_accept() -> None:
    """What waits for a commit hears that it is done when it has only begun."""

    async def spoiled(self: Writer, group: list[_Waiting]) -> bool:
        await self._begin()
        for waiting in group:
            _attempt(self._connection, waiting)
        _settle(group)
        await asyncio.sleep(0.005)  # what a slow disk takes
        await self._thread.commit(alone=False)
        return True

    _plant(Writer, "_commit_together", spoiled)


def second_worker() -> None:
    """Each session has two lanes, and no lock between them."""
    ring = AgentWorker._ring

    @asynccontextmanager
    async def admit(
        self: TurnGate, agent_id: str, session_id: str, *, max_concurrency: int
    ) -> AsyncGenerator[None, None]:
        del agent_id, max_concurrency
        self._admitted[session_id] = Admission()
        yield

    def spoiled(self: AgentWorker, lanes: asyncio.TaskGroup, session_id: str, agent_id: str) -> None:
        fresh = session_id not in self._lanes
        ring(self, lanes, session_id, agent_id)
        if fresh and session_id in self._lanes:
            lanes.create_task(_second_lane(self, session_id, agent_id), name=f"second lane of {session_id}")

    _plant(TurnGate, "admit", admit)
    _plant(AgentWorker, "_ring", spoiled)


async def _second_lane(worker: AgentWorker, session_id: str, agent_id: str) -> None:
    while await worker._next(session_id, agent_id):
        pass


def claim_apart() -> None:
    """An instant is claimed in one transaction, and its message accepted in the next."""

    async def spoiled(self: SqliteJobBook, firing: Firing, *, limit: int) -> Claimed:
        def first(connection: sqlite3.Connection) -> Claimed:
            with _savepoint(connection):
                claimed = instants.claim(connection, firing, limit=limit)
            if claimed.event is not None:
                row = Row(wall=firing.wall, at=firing.at, stage="fired", reason="")
                instants.account(connection, firing.job_id, [row])
            return claimed

        claimed = await self._database.write(first)
        if claimed.event is None:
            return claimed
        await asyncio.sleep(0.05)  # what comes in between on a busy day

        def second(connection: sqlite3.Connection) -> Claimed:
            connection.execute("DELETE FROM instants WHERE job = ? AND wall = ?", (firing.job_id, firing.wall))
            return instants.claim(connection, firing, limit=limit)

        return await self._database.write(second)

    _plant(SqliteJobBook, "claim", spoiled)


@contextmanager
def _savepoint(connection: sqlite3.Connection) -> Generator[None]:
    """Take back what is done in the block."""
    connection.execute("SAVEPOINT taken_back")
    yield
    connection.execute("ROLLBACK TO taken_back")
    connection.execute("RELEASE taken_back")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A bug, and where it shows: at a moment, or up to `delay` seconds after it."""

    plant: Callable[[], None]
    shows: Aim


PLANTS: Mapping[str, Plant] = {
    "turn and outbox in two transactions": Plant(plant=two_transactions, shows=Aim(kind="answered", delay=0.006)),
    "an unfinished once tool is run again": Plant(plant=rerun, shows=Aim(kind="asked")),
    "accepted is said before the commit": Plant(plant=early_accept, shows=Aim(kind="accepted")),
    "a second worker on a session": Plant(plant=second_worker, shows=Aim(kind="asked")),
}

JOB_PLANTS: Mapping[str, Callable[[], None]] = {
    "claim and accept in two transactions": claim_apart,
}
"""Bugs that show around an instant, of which the load of the harness has none."""
