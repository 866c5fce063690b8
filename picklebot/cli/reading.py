"""The database of a workspace, read beside whoever runs there.

Promises that nothing is written, and that a database which cannot be read ends in a sentence. Knows no command.
"""

import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager
from pathlib import Path

from picklebot.config import Config
from picklebot.errors import ConfigError, NotFound, StoreError
from picklebot.store.database import PlainDatabase, connect
from picklebot.store.migrate import migrations
from picklebot.store.sqlite import SqliteStore


def database_of(config: Config) -> Path:
    """Return the file of the store.

    Raises:
        ConfigError: the store is no file.
    """
    if config.database is None:
        raise ConfigError("store.url: this command reads SQLite only: write sqlite:///.picklebot/picklebot.db")
    return config.database


@contextmanager
def reading(config: Config) -> Generator[SqliteStore | None]:
    """Open the store to read; None where nothing was ever written.

    Raises:
        StoreError: it is damaged, of another version, or no database.
    """
    with reading_plain(config) as connection:
        yield SqliteStore.over(PlainDatabase(connection)) if connection is not None else None


@contextmanager
def reading_plain(config: Config) -> Generator[sqlite3.Connection | None]:
    """Open the database to read; None where nothing was ever written.

    Raises:
        StoreError: it is damaged, of another version, or no database.
    """
    path = database_of(config)
    if not path.exists():
        yield None
        return
    try:
        with closing(connect(path, read_only=True)) as connection:
            if not _schema(connection, path):
                yield None
                return
            yield connection
    except sqlite3.Error as exc:
        raise StoreError(f"{path} cannot be read: {exc}; `picklebot doctor` looks it over") from exc


@contextmanager
def reading_something(config: Config) -> Generator[SqliteStore]:
    """Open the store to read something that has to be there.

    Raises:
        NotFound: nothing was ever written.
        StoreError: it is damaged, of another version, or no database.
    """
    with reading(config) as opened:
        if opened is None:
            raise NotFound(f"nothing has happened in {config.workspace.root} yet: there is no database")
        yield opened


def _schema(connection: sqlite3.Connection, path: Path) -> int:
    """Return the number of the schema, 0 while the database is being made."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    newest = migrations()[-1][0]
    if version > newest:
        raise StoreError(f"{path} has schema {version}, and this picklebot knows up to {newest}: upgrade picklebot")
    if 0 < version < newest:
        raise StoreError(f"{path} has the older schema {version}: start picklebot once to bring it up to {newest}")
    return version
