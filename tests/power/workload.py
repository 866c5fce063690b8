"""A day of the store on a disk: what the daemon's workers write, committed in groups by the real writer.

Promises that nothing is called acknowledged before the store said so, and that the same random numbers give the same
day. Knows no worker: each conversation makes the calls that they would make, in their order.
"""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, TypeVar

from picklebot.core.events import OutboundEvent
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.messages import Message, ToolResult
from picklebot.core.replies import ModelReply
from picklebot.core.source import Source
from picklebot.errors import QueueFull
from picklebot.store.base import Arrival, Conclusion, OutboxRow, Turn, Turns
from picklebot.store.database import Database
from picklebot.store.sqlite import SqliteStore
from picklebot.store.units import Unit
from picklebot.store.wal import lengthen
from picklebot.store.writer import Writer
from tests.power.judge import Fact

T = TypeVar("T")
NOW = datetime(2030, 1, 1, tzinfo=UTC)
CHANNEL = "fake"
MESSAGES = 3  #: in each conversation
CONVERSATIONS = 4
FRAMES = 64  #: pages of a log that is long from the start: a day is written over some of them, and goes on behind them


class GroupedDatabase:
    """Gives the units that wait to a `Writer` of their own, some at a time: each time one group, and one commit."""

    def __init__(self, connection: sqlite3.Connection, rng: Random) -> None:
        self._connection = connection
        self._rng = rng
        self._waiting: deque[tuple[Unit[Any], asyncio.Future[Any]]] = deque()
        self._bell = asyncio.Event()

    async def write(self, unit: Unit[T]) -> T:
        """Queue `unit` and wait for its commit."""
        future: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._waiting.append((unit, future))
        self._bell.set()
        return await future

    async def complete(self, unit: Unit[T]) -> T:
        """Queue `unit` and wait for its commit: this disk is never full."""
        return await self.write(unit)

    async def fetch(self, sql: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Run one SELECT."""
        return self._connection.execute(sql, parameters).fetchall()

    async def commit(self) -> None:
        """Commit what comes, until cancelled."""
        while True:
            await self._bell.wait()
            await asyncio.sleep(0)  # let whoever else has something to write come too
            group = [self._waiting.popleft() for _ in range(self._rng.randint(1, len(self._waiting)))]
            writer = Writer(self._connection, on_broken=lambda: None)
            committed = [writer.submit(unit) for unit, _ in group]
            writer.close()
            await writer.run()  # only now, so that it finds all of them
            outcomes = await asyncio.gather(*committed, return_exceptions=True)
            for (_, future), outcome in zip(group, outcomes, strict=True):
                if isinstance(outcome, BaseException):
                    future.set_exception(outcome)
                else:
                    future.set_result(outcome)
            if not self._waiting:
                self._bell.clear()


@dataclass(slots=True, kw_only=True)
class Day:
    """One run. `acknowledge` hears each fact when the store has promised it; `turns` may stand in for the store's."""

    store: SqliteStore
    turns: Turns
    rng: Random
    acknowledge: Callable[[Fact], None]
    open: int = CONVERSATIONS
    rings: asyncio.Event = field(default_factory=asyncio.Event)

    async def converse(self, name: str) -> None:
        """Accept messages and answer each, some of them offered twice."""
        for n in range(MESSAGES):
            key = f"{name}-{n}"
            arrival = Arrival(source=Source(CHANNEL, (name,)), content=key, key=key, agent_id="echo", at=NOW)
            if self.rng.random() < 0.3:
                with suppress(QueueFull):  # nothing of it may ever be seen
                    await self.store.inbox.accept(_other(arrival, f"refused-{key}"), limit=0)
            acceptance = await self.store.inbox.accept(arrival, limit=20, room=self.rng.choice((0, CONVERSATIONS)))
            self.acknowledge(("accepted", key, acceptance.event.id))
            if self.rng.random() < 0.3:
                again = await self.store.inbox.accept(arrival, limit=20)
                assert again.duplicate
            turn = await self.store.inbox.begin(acceptance.event.session_id, NOW)
            assert turn is not None
            self.acknowledge(("begun", turn.seq))
            await self._answer(turn)
            self.rings.set()
        self.open -= 1
        self.rings.set()

    async def _answer(self, turn: Turn) -> None:
        opening = Message.user(turn.event.content)
        said: list[Message] = [opening]
        for n in range(self.rng.randint(0, 2)):
            said += await self._step(turn, n, opening)
        said.append(Message.assistant("the answer" * self.rng.randint(1, 300)))
        event = turn.event
        reply = OutboundEvent(
            session_id=event.session_id, source=event.source, to=event.source, cause_id=event.id, content=said[-1].text
        )
        await self.turns.finish(Conclusion(turn=turn, outcome="done", messages=said, outbound=[reply], at=NOW))
        self.acknowledge(("finished", turn.seq))
        if (row := self.store.outbox.claimed(reply.id)) is not None:
            await self._send(row)

    async def _step(self, turn: Turn, n: int, opening: Message) -> list[Message]:
        ids = [f"call-{n}-{i}" for i in range(self.rng.randint(1, 3))]
        message = Message("assistant", tuple({"type": "tool_use", "id": i, "name": "pay", "input": {}} for i in ids))
        step = RecordedStep(n=n, reply=ModelReply(message=message, stop_reason="tool_use", model="m"), cost_usd=0.01)
        calls = [PlannedCall(call_id=i, tool="pay", effect="once", input={"sum": 1}) for i in ids]
        await self.turns.record_step(turn, step, calls, opening=opening, at=NOW)
        self.acknowledge(("step", turn.seq, n))
        results = await asyncio.gather(*(self._call(turn, n, call_id) for call_id in ids))
        return [message, Message.results(results)]

    async def _call(self, turn: Turn, n: int, call_id: str) -> ToolResult:
        result = ToolResult(call_id, "paid " * self.rng.randint(1, 400))
        await self.turns.start_call(turn, n, call_id, at=NOW)
        self.acknowledge(("started", turn.seq, n, call_id))
        await self.turns.record_result(turn, n, result, state="done", at=NOW)
        self.acknowledge(("settled", turn.seq, n, call_id))
        return result

    async def deliver(self) -> None:
        """Claim replies and settle each, until every conversation is over."""
        while self.open or await self.store.outbox.next_due(CHANNEL):
            rows = await self.store.outbox.claim(CHANNEL, NOW, limit=2)
            for row in rows:
                await self._send(row)
            if not rows and self.open:
                self.rings.clear()
                await self.rings.wait()

    async def _send(self, row: OutboxRow) -> None:
        self.acknowledge(("claimed", row.seq))
        if self.rng.random() < 0.2:
            await self.store.outbox.reschedule(row, not_before=NOW, error="away")
        else:
            await self.store.outbox.ack(row, receipt="yes", at=NOW)
            self.acknowledge(("acked", row.seq))


class Quay:
    """Has a place now and then, so that some replies are claimed by the end of their turn and some by a look."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng

    def book(self) -> bool:
        """Take a place, if there is one."""
        return self._rng.random() < 0.5

    def free(self) -> None:
        """There is as much room as there was."""


async def live(
    connection: sqlite3.Connection,
    rng: Random,
    acknowledge: Callable[[Fact], None],
    turns: Callable[[Database], Turns] | None = None,
) -> None:
    """Have one day on `connection`: some days on a log that is long from the start, and is written over."""
    if rng.random() < 0.5:
        lengthen(connection, Path("anywhere"), frames=FRAMES)
    database = GroupedDatabase(connection, rng)
    store = SqliteStore.over(database)
    store.outbox.open(CHANNEL, Quay(rng))
    day = Day(store=store, turns=turns(database) if turns else store.turns, rng=rng, acknowledge=acknowledge)
    async with asyncio.TaskGroup() as group:
        committing = group.create_task(database.commit(), name="commits")
        talking = [group.create_task(day.converse(f"peer-{n}"), name=f"peer {n}") for n in range(CONVERSATIONS)]
        talking.append(group.create_task(day.deliver(), name="deliveries"))
        await asyncio.gather(*talking)
        committing.cancel()


def _other(arrival: Arrival, key: str) -> Arrival:
    return Arrival(source=Source(CHANNEL, (key,)), content=key, key=key, agent_id="echo", at=arrival.at)
