"""Room in the write-ahead log, before anything is committed to it.

A commit that makes the log's file longer waits for the file system's own journal beside its fsync, twice as long as one
that writes over what is there. SQLite writes the log from its start again after each checkpoint, so that all of it is
written over once it is as long as it gets. Promises nothing but speed, to write nothing that is ever read, and to take room
only where there is plenty.
"""

import logging
import shutil
import sqlite3
from pathlib import Path

logger = logging.getLogger(__name__)

FRAMES = 1_200  #: pages: SQLite checkpoints from the thousandth on, at the end of the commit that reaches it
PLENTY = 8  #: times the log's size must be free before it is made so long
_FEW, _CACHE = 16, "PRAGMA cache_size"


def lengthen(connection: sqlite3.Connection, path: Path, *, frames: int = FRAMES) -> None:
    """Make the log of the database at `path` so many pages long; do without where another process writes.

    A transaction that outgrows its cache stands in the log before it is rolled back.
    """
    kept = connection.execute(_CACHE).fetchone()[0]
    page = connection.execute("PRAGMA page_size").fetchone()[0]
    if shutil.disk_usage(path.parent).free < PLENTY * frames * page:
        return
    connection.execute(f"{_CACHE} = {_FEW}")
    try:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("CREATE TABLE outgrowing (filling)")
        connection.execute("INSERT INTO outgrowing VALUES (zeroblob(?))", (frames * page,))
    except sqlite3.Error as exc:
        logger.info("the write-ahead log was not made longer: %s", exc)
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        connection.execute(f"{_CACHE} = {kept}")
