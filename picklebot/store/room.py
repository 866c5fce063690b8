"""Whether there is room for another message.

Promises to know by itself when there is room again. Knows no disk: what it says is what the last write met.
"""

import sqlite3
from collections.abc import Callable

from picklebot.errors import StoreFull
from picklebot.store.database import Database


class SqliteRoom:
    """What the last write met, which `full` tells."""

    def __init__(self, database: Database, full: Callable[[], str | None]) -> None:
        self._database = database
        self._full = full

    async def missing(self) -> str | None:
        """Return why nothing is accepted now, or None. After a refusal this tries a write that changes nothing."""
        if self._full() is None:
            return None
        try:
            await self._database.write(_touch)
        except StoreFull as exc:
            return str(exc)
        return None


def _touch(connection: sqlite3.Connection) -> None:
    """Write a page of the database as it is; an UPDATE that changes nothing would write nothing."""
    [version] = connection.execute("PRAGMA user_version").fetchone()
    connection.execute(f"PRAGMA user_version = {version}")
