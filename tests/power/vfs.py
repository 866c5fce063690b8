"""SQLite on a `Disk`, and a connection to it that looks like one of `sqlite3`.

The standard library cannot replace SQLite's file system, so this is apsw, which brings its own SQLite. Promises the
settings of the daemon's own connections, read from one. Beside them it asks for `locking_mode = EXCLUSIVE`, which
keeps the index of the WAL in memory (it never outlives a power cut), and for a short WAL, so that a short workload
passes many checkpoints.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import apsw

from picklebot.store.database import connect
from picklebot.store.migrate import migrate
from tests.power.disk import Disk, Image

NAME = "/picklebot.db"
WAL_PAGES = 48  #: between two checkpoints; SQLite's own default is 1,000
_SETTINGS = ("journal_mode", "synchronous", "foreign_keys", "trusted_schema", "fullfsync", "checkpoint_fullfsync")
_SECTOR, _POWERSAFE_OVERWRITE = 4096, 0x1000  # what SQLite's own file system on Unix says of itself
_numbers = count(1)


class _File:
    """An open file. apsw finds these methods by their names."""

    def __init__(self, disk: Disk, name: str) -> None:
        self._disk = disk
        self._name = name
        disk.open(name)

    def xRead(self, size: int, at: int) -> bytes:  # noqa: N802  (SQLite's name)
        return self._disk.read(self._name, size, at)

    def xWrite(self, content: bytes, at: int) -> None:  # noqa: N802
        self._disk.write(self._name, content, at)

    def xTruncate(self, size: int) -> None:  # noqa: N802
        self._disk.truncate(self._name, size)

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._disk.sync(self._name)

    def xFileSize(self) -> int:  # noqa: N802
        return self._disk.size(self._name)

    def xClose(self) -> None:  # noqa: N802
        """Nothing is held."""

    def xLock(self, level: int) -> None:  # noqa: N802
        """Nobody else is there."""

    def xUnlock(self, level: int) -> None:  # noqa: N802
        """Nobody else is there."""

    def xCheckReservedLock(self) -> bool:  # noqa: N802
        return False

    def xFileControl(self, op: int, pointer: int) -> bool:  # noqa: N802
        return False

    def xSectorSize(self) -> int:  # noqa: N802
        return _SECTOR

    def xDeviceCharacteristics(self) -> int:  # noqa: N802
        return _POWERSAFE_OVERWRITE


class _FileSystem(apsw.VFS):
    """The disk as SQLite sees it."""

    def __init__(self, disk: Disk) -> None:
        self.name = f"disk-{next(_numbers)}"
        self._disk = disk
        super().__init__(self.name, "")

    def xOpen(self, name: str | apsw.URIFilename | None, flags: list[int]) -> apsw.VFSFile:  # noqa: N802
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        return cast(apsw.VFSFile, _File(self._disk, path or f"/temporary-{next(_numbers)}"))

    def xAccess(self, pathname: str, flags: int) -> bool:  # noqa: N802
        return self._disk.exists(pathname)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        self._disk.delete(filename)

    def xFullPathname(self, name: str) -> str:  # noqa: N802
        return f"/{name.lstrip('/')}"


class Rows:
    """What a statement gave, as a cursor of `sqlite3` shows it."""

    def __init__(self, rows: Iterable[tuple[Any, ...]], *, rowcount: int, lastrowid: int) -> None:
        self._rows = iter(rows)
        self.rowcount = rowcount
        self.lastrowid = lastrowid

    def fetchone(self) -> tuple[Any, ...] | None:
        return next(self._rows, None)

    def fetchall(self) -> list[tuple[Any, ...]]:
        return list(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows


class Connection:
    """A connection of apsw with the methods and the errors of `sqlite3` that the store uses."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Rows:
        return self._rows(lambda cursor: cursor.execute(sql, parameters).fetchall())

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Rows:
        return self._rows(lambda cursor: cursor.executemany(sql, parameters).fetchall())

    def close(self) -> None:
        """Do nothing: a writer closes what it was lent, and `opened` really does."""

    def _rows(self, run: Any) -> Rows:
        try:
            rows = run(self._connection.cursor())
        except apsw.ConstraintError as exc:
            raise sqlite3.IntegrityError(str(exc)) from exc
        except apsw.Error as exc:
            raise sqlite3.DatabaseError(f"{type(exc).__name__}: {exc}") from exc
        return Rows(rows, rowcount=self._connection.changes(), lastrowid=self._connection.last_insert_rowid())


@contextmanager
def opened(disk: Disk, *, synchronous: str | None = None) -> Generator[sqlite3.Connection]:
    """Open the database on `disk` as the daemon would; `synchronous` stands in for its own setting."""
    system = _FileSystem(disk)
    real: apsw.Connection | None = None
    try:
        try:
            real = apsw.Connection(NAME, vfs=system.name)
        except apsw.Error as exc:
            raise sqlite3.DatabaseError(str(exc)) from exc
        real.config(apsw.SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1)  # nobody tidies up before a power cut
        connection = Connection(real)
        own = {"synchronous": synchronous} if synchronous else {}
        settings = {"locking_mode": "EXCLUSIVE", **daemon_settings(), **own, "wal_autocheckpoint": WAL_PAGES}
        for name, value in settings.items():
            connection.execute(f"PRAGMA {name} = {value}")
        yield cast(sqlite3.Connection, connection)
    finally:
        if real is not None:
            real.close()
        system.unregister()


@cache
def daemon_settings() -> dict[str, object]:
    """Return the settings of a connection that the daemon writes with."""
    with TemporaryDirectory(prefix="picklebot-settings-") as folder:
        connection = connect(Path(folder) / "probe.db")
        try:
            return {name: connection.execute(f"PRAGMA {name}").fetchone()[0] for name in _SETTINGS}
        finally:
            connection.close()


@cache
def fresh() -> Image:
    """Return a disk's content with a migrated and empty database."""
    connection = sqlite3.connect(":memory:", isolation_level=None)
    try:
        migrate(connection, Path(NAME))
        return {NAME: connection.serialize()}
    finally:
        connection.close()
