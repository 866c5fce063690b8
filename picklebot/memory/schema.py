"""The database of the index: derived from the files of notes, and nothing else is in it.

Promises a database that can be used, whatever stood there before: one that is damaged, of another version or in the
wrong place is thrown away and begun anew. Knows no note.
"""

import sqlite3
from contextlib import ExitStack, suppress
from pathlib import Path

VERSION = 5  #: raised whenever what is in the index, or how words are cut, is another
BUSY = 5.0  #: seconds to wait for another process that writes

_TABLES = """
CREATE TABLE files (
    id INTEGER PRIMARY KEY, path TEXT NOT NULL UNIQUE,
    inode INTEGER NOT NULL, size INTEGER NOT NULL, changed INTEGER NOT NULL
);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY, file INTEGER NOT NULL, line INTEGER NOT NULL, at INTEGER, day INTEGER NOT NULL,
    origin TEXT NOT NULL, writer TEXT NOT NULL, outside INTEGER NOT NULL, length INTEGER NOT NULL, digest BLOB NOT NULL
);
CREATE TABLE texts (id INTEGER PRIMARY KEY, content TEXT NOT NULL);
CREATE INDEX passages_of ON passages (file);
CREATE INDEX passages_by_day ON passages (day);
CREATE INDEX passages_by_digest ON passages (digest);
CREATE VIRTUAL TABLE words USING fts5(body, content='', tokenize='ascii', detail=none, columnsize=0);
CREATE VIRTUAL TABLE counts USING fts5vocab(words, row);
CREATE TABLE terms (id INTEGER PRIMARY KEY, term TEXT NOT NULL UNIQUE, passages INTEGER NOT NULL);
CREATE VIRTUAL TABLE grams USING fts5(term, content='terms', content_rowid='id', tokenize='trigram');
CREATE TABLE totals (
    passages INTEGER NOT NULL, length INTEGER NOT NULL, counted INTEGER NOT NULL, made BLOB NOT NULL
);
INSERT INTO totals VALUES (0, 0, 1, randomblob(8));
CREATE TABLE problems (words TEXT NOT NULL);
CREATE TABLE vectors (
    id INTEGER PRIMARY KEY, model TEXT NOT NULL, digest BLOB NOT NULL, vector BLOB NOT NULL, UNIQUE (model, digest)
);
"""


def connect(path: Path) -> sqlite3.Connection:
    """Return a connection to the index at `path`, which is empty if none was there that can be used.

    Raises:
        sqlite3.Error: the place cannot be written.
    """
    try:
        return _opened(path)
    except sqlite3.OperationalError:  # locked, no room, no permission: another index would fare no better
        raise
    except sqlite3.DatabaseError:
        discard(path)
        return _opened(path)


def discard(path: Path) -> None:
    """Remove the index. A process that has it open goes on with what it has, and notices."""
    for name in (path, *leftovers(path)):
        with suppress(FileNotFoundError):
            name.unlink()


def leftovers(path: Path) -> tuple[Path, Path]:
    """Return what SQLite keeps beside the database: without it, they would be taken for parts of the next one."""
    return path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")


def _opened(path: Path) -> sqlite3.Connection:
    if not path.exists():
        for name in leftovers(path):
            name.unlink(missing_ok=True)
    connection = sqlite3.connect(path, timeout=BUSY, isolation_level=None, check_same_thread=False)
    with ExitStack() as stack:
        stack.callback(connection.close)
        _prepare(connection)
        stack.pop_all()  # it is the caller's to close now
    return connection


def _prepare(connection: sqlite3.Connection) -> None:
    # Nothing here is worth an fsync: what a power cut takes is made again.
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA cache_size = -16000")
    connection.execute("BEGIN IMMEDIATE")
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if version not in {0, VERSION}:
        raise sqlite3.DatabaseError(f"this index is of version {version}")
    if version == 0:
        for statement in _TABLES.split(";"):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")
