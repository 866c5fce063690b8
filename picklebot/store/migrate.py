"""Numbered SQL files, applied in order, each in one transaction, with a copy of the database kept before.

Promises that a database is never left half migrated and that a newer schema is refused in words. Knows no table.
"""

import logging
import sqlite3
from importlib import resources
from pathlib import Path

from picklebot.errors import StoreError

logger = logging.getLogger(__name__)


def migrations() -> list[tuple[int, str, str]]:
    """Return (number, name, SQL) of every migration, in order."""
    folder = resources.files("picklebot.store") / "migrations"
    found = [
        (int(file.name[:4]), file.name, file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql")
    ]
    return sorted(found)


def migrate(connection: sqlite3.Connection, path: Path) -> None:
    """Bring the schema of the database at `path` up to date.

    Raises:
        StoreError: the schema is newer than this program.
    """
    steps = migrations()
    newest = steps[-1][0]
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > newest:
        raise StoreError(
            f"{path} has schema {version}, and this picklebot knows schemas up to {newest}: "
            "upgrade picklebot, or restore a backup made before the upgrade"
        )
    if version == newest:
        return
    if version:
        copy = path.with_name(f"{path.name}.before-{newest:04d}")
        with sqlite3.connect(copy) as target:
            connection.backup(target)
        target.close()
        logger.info("kept a copy of the database as %s", copy)
    for number, name, sql in steps:
        if number > version:
            connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\nPRAGMA user_version = {number};\nCOMMIT;")
            logger.info("migrated the database with %s", name)
