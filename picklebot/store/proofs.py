"""Which signed deliveries have come, in SQL. Promises that a copy is known after a restart too. Knows no signature."""

import sqlite3
from datetime import datetime

from picklebot.store.codec import to_micros
from picklebot.store.database import Database

_FIRST = "INSERT INTO proofs VALUES (?, ?, ?) ON CONFLICT (proof) DO UPDATE SET until = max(until, excluded.until)"


class SqliteProofs:
    """The proofs table."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def first_key(self, proof: str, key: str, *, at: datetime, until: datetime) -> str:
        """Return the key under which `proof` came first: `key`, where it is new. It is kept `until` then."""

        def unit(connection: sqlite3.Connection) -> str:
            connection.execute("DELETE FROM proofs WHERE until < ?", (to_micros(at),))
            connection.execute(_FIRST, (proof, key, to_micros(until)))
            return str(connection.execute("SELECT key FROM proofs WHERE proof = ?", (proof,)).fetchone()[0])

        return await self._database.write(unit)
