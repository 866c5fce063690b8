"""A copy of the whole database, and the proof that a copy is good.

Promises a copy of one moment also while a daemon writes, and that a copy which passes `inspect` is whole, is in
balance, and can be opened by this program. Knows no archive.
"""

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path

from picklebot.errors import StoreError
from picklebot.store.database import connect
from picklebot.store.ledger import count
from picklebot.store.migrate import migrations


def copy(database: Path, target: Path) -> None:
    """Write a copy of `database` to `target`, which is no database yet, as one file.

    Raises:
        StoreError: it cannot be read, or the copy cannot be written.
    """
    try:
        with closing(connect(database, read_only=True)) as source, closing(sqlite3.connect(target)) as made:
            # In one step: a copy in several begins again whenever the daemon has written in between.
            source.backup(made)
            made.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.Error as exc:
        raise StoreError(f"{database} cannot be copied to {target}: {exc}") from exc


def inspect(path: Path) -> tuple[int, Mapping[str, int]]:
    """Look a copy over; return its schema and the counts of its ledger.

    Raises:
        StoreError: it is damaged, out of balance, of a newer schema, or no database.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            schema: int = connection.execute("PRAGMA user_version").fetchone()[0]
            newest = migrations()[-1][0]
            if not 0 < schema <= newest:
                raise StoreError(f"{path} has schema {schema}, and this picklebot knows 1 to {newest}")
            verdict: str = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            orphan = connection.execute("PRAGMA foreign_key_check").fetchone()
            counts = count(connection)
    except sqlite3.Error as exc:
        raise StoreError(f"{path} cannot be read as a database: {exc}") from exc
    if verdict != "ok" or orphan:
        raise StoreError(f"{path} is damaged: {verdict if verdict != 'ok' else f'a row of {orphan[0]} has no parent'}")
    if counts.accepted != counts.done + counts.failed + counts.dead + counts.open:
        raise StoreError(f"{path} is out of balance: {counts}")
    return schema, asdict(counts)
