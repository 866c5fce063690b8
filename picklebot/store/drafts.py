"""Which message shows the beginning of a reply, in SQL. It is forgotten when the reply is acknowledged (`outbox`)."""

import sqlite3
from datetime import datetime, timedelta

from picklebot.store.codec import to_micros
from picklebot.store.database import Database

KEPT = timedelta(days=2)  #: for replies that never came


class SqliteDrafts:
    """A row for each reply that is shown as it grows."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, cause_id: str, draft: str, *, at: datetime) -> None:
        """Write down that `draft` shows the beginning of the reply to an event."""

        def unit(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM drafts WHERE at < ?", (to_micros(at - KEPT),))
            connection.execute(
                "INSERT OR REPLACE INTO drafts (cause_id, draft, at) VALUES (?, ?, ?)", (cause_id, draft, to_micros(at))
            )

        await self._database.complete(unit)

    async def of(self, cause_id: str) -> str | None:
        """Return what shows the beginning of the reply to an event."""
        rows = await self._database.fetch("SELECT draft FROM drafts WHERE cause_id = ?", (cause_id,))
        return str(rows[0][0]) if rows else None
