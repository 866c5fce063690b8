"""The database of a workspace, written to by a command while nobody else holds the workspace.

Promises that a daemon keeps its one writer: where one runs, the command is refused with words. Knows no command.
"""

import os
import sqlite3
from collections.abc import Generator
from contextlib import closing, contextmanager

from picklebot.cli.reading import database_of
from picklebot.clock import SystemClock
from picklebot.config import Config
from picklebot.errors import NotFound, StoreError
from picklebot.lock import Holder, hold
from picklebot.store.database import PlainDatabase, connect
from picklebot.store.migrate import migrate
from picklebot.store.sqlite import SqliteStore


@contextmanager
def writing(config: Config, *, role: str, fresh: bool = False) -> Generator[SqliteStore]:
    """Hold the workspace and open its store, `fresh` also where there is none yet; `role` is what others are told.

    Raises:
        AlreadyRunning: somebody else holds the workspace.
        NotFound: nothing was ever written.
        StoreError: the database cannot be used.
    """
    path, workspace = database_of(config), config.workspace
    if not fresh and not path.exists():
        raise NotFound(f"nothing has happened in {workspace.root} yet: there is no database")
    workspace.prepare()
    holder = Holder(os.getpid(), role, SystemClock().now().isoformat(timespec="seconds"))
    with hold(workspace.lock_file, workspace.daemon_file, holder):
        try:
            with closing(connect(path)) as connection:
                migrate(connection, path)
                yield SqliteStore.over(PlainDatabase(connection))
        except sqlite3.Error as exc:
            raise StoreError(f"{path} could not be written to: {exc}; `picklebot doctor` looks it over") from exc
