"""Bugs for the simulation to find, each in place of a collaborator of the workers."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from picklebot.store.base import Turn
from picklebot.store.database import Database
from picklebot.store.inbox import SqliteInbox
from picklebot.store.turns import SqliteTurns
from tests.power.plants import TwoTransactions


class Forgetful(SqliteInbox):
    """Goes on as if a call that was started had not been: so an unfinished tool is run again."""

    async def begin(self, session_id: str, now: datetime, *, alone: bool = False) -> Turn | None:
        turn = await super().begin(session_id, now, alone=alone)
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
SECOND_WORKER = Plants(agent_workers=2)
LAZY_COMMITS = Plants(synchronous="NORMAL")
