"""Messages out of turn, in SQL."""

import sqlite3
from collections.abc import Sequence

from picklebot.core.events import OutboundEvent
from picklebot.store import outbox
from picklebot.store.database import Database


class SqlitePosts:
    """Writes to the outbox, beside the turns."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def post(self, events: Sequence[OutboundEvent]) -> bool:
        """Make messages due, all or none; return whether they are new. The same ids again change nothing."""

        def unit(connection: sqlite3.Connection) -> bool:
            if connection.execute("SELECT 1 FROM events WHERE id = ?", (events[0].id,)).fetchone():
                return False
            for event in events:
                outbox.add(connection, event)
            return True

        return await self._database.write(unit)
