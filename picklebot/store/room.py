"""Whether there is room for another message.

Promises to know by itself when there is room again. Knows no disk: what it says is what writes met.
"""

import sqlite3

from picklebot.errors import StoreFull
from picklebot.store.database import Database
from picklebot.store.writer import Room

_FILL = "UPDATE room SET filling = randomblob(length(filling))"


class SqliteRoom:
    """What writes met, which `room` tells."""

    def __init__(self, database: Database, room: Room) -> None:
        self._database = database
        self._room = room

    async def missing(self) -> str | None:
        """Return why nothing is accepted now, or None.

        After a refusal this writes as much as a long message takes, over what the last such look wrote. What a small
        write still finds room for says nothing.
        """
        if self._room.missing is None:
            return None
        try:
            await self._database.write(_fill)
        except StoreFull as exc:
            return str(exc)
        self._room.missing = None
        return None


def _fill(connection: sqlite3.Connection) -> None:
    connection.execute(_FILL)
