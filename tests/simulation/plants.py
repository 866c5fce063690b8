"""Bugs for the simulation to find, each in place of a collaborator of the workers."""

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from picklebot.core.journal import CallState
from picklebot.core.messages import ToolResult
from picklebot.store import joined
from picklebot.store.base import Conclusion, Joined, Joining, Turn
from picklebot.store.database import Database
from picklebot.store.inbox import SqliteInbox
from picklebot.store.turns import SqliteTurns
from tests.power.plants import TwoTransactions


class Forgetful(SqliteInbox):
    """Goes on as if a call that was started had not been: so an unfinished tool is run again."""

    async def begin(
        self, session_id: str, now: datetime, *, alone: bool = False, joining: Joining | None = None
    ) -> Turn | None:
        turn = await super().begin(session_id, now, alone=alone, joining=joining)
        if turn is None:
            return None
        steps = [
            replace(
                step,
                calls={
                    key: replace(call, state="planned" if call.state == "started" else call.state)
                    for key, call in step.calls.items()
                },
            )
            for step in turn.steps
        ]
        return replace(turn, steps=steps)


class MarksLater(SqliteTurns):
    """Shows the model what waits, and writes down only with the next result that it has joined."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._own = database
        self._shown: dict[int, list[Joined]] = {}

    async def take_in(self, turn: Turn, step: int, joining: Joining) -> list[Joined]:
        def unit(connection: sqlite3.Connection) -> list[Joined]:
            taken = joined.take_in(connection, turn.event, joining, turn=turn.seq, step=step)
            connection.executemany("DELETE FROM joined WHERE seq = ?", [(each.seq,) for each in taken])
            return taken

        self._shown[turn.seq] = await self._own.write(unit)
        return self._shown[turn.seq]

    async def record_result(self, turn: Turn, step: int, result: ToolResult, *, state: CallState, at: datetime) -> None:
        await self._mark(turn)
        await super().record_result(turn, step, result, state=state, at=at)

    async def finish(self, conclusion: Conclusion) -> bool:
        await self._mark(conclusion.turn)
        return await super().finish(conclusion)

    async def _mark(self, turn: Turn) -> None:
        rows = [(each.seq, turn.seq, each.step, each.context) for each in self._shown.pop(turn.seq, [])]
        if rows:
            await self._own.write(lambda connection: connection.executemany(_MARK, rows))


_MARK = "INSERT INTO joined (seq, turn, step, context) VALUES (?, ?, ?, ?)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plants:
    """What is planted: nothing."""

    turns: Callable[[Database], SqliteTurns] = SqliteTurns
    inbox: Callable[[Database], SqliteInbox] = SqliteInbox
    agent_workers: int = 1
    synchronous: str | None = None


NOTHING = Plants()
TWO_TRANSACTIONS = Plants(turns=TwoTransactions)
RERUN_TOOLS = Plants(inbox=Forgetful)
MARKED_LATER = Plants(turns=MarksLater)
SECOND_WORKER = Plants(agent_workers=2)
LAZY_COMMITS = Plants(synchronous="NORMAL")
