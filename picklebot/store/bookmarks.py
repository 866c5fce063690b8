"""How far each place of a platform was read, in SQL: for platforms that keep no account of that themselves."""

import sqlite3
from collections.abc import Mapping

from picklebot.store.database import Database

KEPT = 500  #: places of one channel; those where nothing was said for longest are forgotten first
_FORGET = """DELETE FROM bookmarks WHERE channel = ? AND seq <=
    (SELECT seq FROM bookmarks WHERE channel = ? ORDER BY seq DESC LIMIT 1 OFFSET ?)"""


class SqliteBookmarks:
    """A row for each place."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, channel: str) -> dict[str, str]:
        """Return how far each place of a channel was read, the one that was read last at the end."""
        rows = await self._database.fetch(
            "SELECT place, mark FROM bookmarks WHERE channel = ? ORDER BY seq", (channel,)
        )
        return {str(place): str(mark) for place, mark in rows}

    async def keep(self, channel: str, marks: Mapping[str, str]) -> None:
        """Write down how far places were read.

        Raises:
            StoreFull: there is no room for it.
        """

        def unit(connection: sqlite3.Connection) -> None:
            connection.executemany(
                "INSERT OR REPLACE INTO bookmarks (channel, place, mark) VALUES (?, ?, ?)",
                [(channel, place, mark) for place, mark in marks.items()],
            )
            connection.execute(_FORGET, (channel, channel, KEPT))

        await self._database.write(unit)
