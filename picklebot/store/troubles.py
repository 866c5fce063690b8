"""What keeps channels from their platforms, in SQL: for whoever asks why nobody answers."""

import sqlite3
from datetime import datetime

from picklebot.store.codec import from_micros, to_micros
from picklebot.store.database import Database


class SqliteTroubles:
    """A row for each channel that is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def note(self, channel: str, words: str, *, at: datetime) -> None:
        """Write down why a channel is away; the moment stays that of the first time."""
        await self._database.complete(
            lambda connection: connection.execute(
                "INSERT INTO troubles (channel, words, since) VALUES (?, ?, ?) "
                "ON CONFLICT (channel) DO UPDATE SET words = excluded.words",
                (channel, words, to_micros(at)),
            )
        )

    async def clear(self, channel: str) -> None:
        """A channel works."""

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM troubles WHERE channel = ?", (channel,))

        await self._database.complete(unit)

    async def all(self) -> list[tuple[str, str, datetime]]:
        """Return (channel, words, since) of those that are away."""
        rows = await self._database.fetch("SELECT channel, words, since FROM troubles ORDER BY channel")
        return [(row[0], row[1], from_micros(row[2])) for row in rows]
