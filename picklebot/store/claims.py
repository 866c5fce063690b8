"""Slash commands between their beginning and their answer, in SQL.

Promises that a command is claimed once, however often it is offered; `Inbox.answer` ends the claim. Knows no command.
"""

import sqlite3

from picklebot.core.source import Source
from picklebot.store.base import Arrival
from picklebot.store.codec import from_micros, to_micros
from picklebot.store.database import Database


class SqliteClaims:
    """The claims table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, arrival: Arrival) -> bool:
        """Write down that a command begins, before it has any effect; return False where it was begun before."""
        source = arrival.source
        row = (
            source.channel,
            arrival.key,
            str(source),
            arrival.content,
            arrival.agent_id,
            to_micros(arrival.at),
        )
        return await self._database.write(
            lambda connection: (
                connection.execute("INSERT OR IGNORE INTO claims VALUES (?, ?, ?, ?, ?, ?)", row).rowcount == 1
            )
        )

    async def unanswered(self) -> list[Arrival]:
        """Return the commands that were begun and never answered, oldest first."""
        rows = await self._database.fetch("SELECT source, content, key, agent_id, at FROM claims ORDER BY at")
        return [
            Arrival(source=Source.parse(source), content=content, key=key, agent_id=agent_id, at=from_micros(at))
            for source, content, key, agent_id, at in rows
        ]


def end(connection: sqlite3.Connection, arrival: Arrival) -> None:
    """Forget a claim, inside the transaction that answers it."""
    connection.execute("DELETE FROM claims WHERE channel = ? AND key = ?", (arrival.source.channel, arrival.key))
