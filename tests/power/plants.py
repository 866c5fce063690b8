"""A bug for the power cuts to find."""

import sqlite3
from dataclasses import replace
from functools import partial

from picklebot.core.events import Reply
from picklebot.store import outbox
from picklebot.store.base import Conclusion
from picklebot.store.database import Database
from picklebot.store.turns import SqliteTurns


class TwoTransactions(SqliteTurns):
    """Ends a turn, and writes its reply down after that."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._own = database

    async def finish(self, conclusion: Conclusion) -> bool:
        more = await super().finish(replace(conclusion, outbound=()))
        for event in conclusion.outbound:
            await self._own.write(partial(_add, event))
        return more


def _add(event: Reply, connection: sqlite3.Connection) -> None:
    outbox.reply(connection, event)
