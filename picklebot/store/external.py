"""What the store knows of files that external agents have written, in SQL. Reads only."""

from picklebot.store.database import Database

# A message of an external agent is a step, and the name of its file stands where a model's request id would.
_TOLD = """SELECT EXISTS (SELECT 1 FROM steps WHERE request_id = ?2 AND turn IN (
    SELECT turn FROM transcript WHERE session_id = ?1
    UNION SELECT seq FROM inbox WHERE session_id = ?1 AND state = 'open'))"""
_OPEN = "SELECT EXISTS (SELECT 1 FROM inbox WHERE session_id = ? AND state = 'open')"


class SqliteTold:
    """The tables of steps and of messages."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def told(self, session_id: str, name: str) -> bool:
        """Return whether what stands in a file of this name is kept."""
        return bool((await self._database.fetch(_TOLD, (session_id, name)))[0][0])

    async def open(self, session_id: str) -> bool:
        """Return whether a session has a message whose turn has not ended."""
        return bool((await self._database.fetch(_OPEN, (session_id,)))[0][0])
