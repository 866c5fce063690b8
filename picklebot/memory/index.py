"""The index of the notes, as one process has it open: followed, asked, and begun anew where it is gone.

Promises that it holds what the files hold as soon as `refresh` returns, that asking never waits for a refresh, and
that an index which was deleted or damaged comes back. Its methods block for some milliseconds (a whole refresh for as
long as there is something to read): they belong into a thread. Knows no vector and no task.
"""

import logging
import sqlite3
import threading
from collections.abc import Callable, Collection, Generator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TypeVar

from picklebot.clock import Clock
from picklebot.memory import schema
from picklebot.memory.folder import Found, Stamp, is_note, look, text_of, walk
from picklebot.memory.vocabulary import recount
from picklebot.memory.words import Writing, known_files

logger = logging.getLogger(__name__)

BATCH = 2_000  #: files of one transaction
MANY = 500  #: files of a transaction; where more changed, words are counted at the end of all
_FRESH = 1_000_000_000  # nanoseconds in which a file may change again and look the same
Result = TypeVar("Result")


class Index:
    """One connection that writes, and one that answers; each is used by one thread at a time."""

    def __init__(self, folder: Path, path: Path, *, clock: Clock) -> None:
        self._folder = folder
        self._path = path
        self._clock = clock
        self._writer = _Door(path)
        self._reader = _Door(path)
        self.settled = threading.Event()
        """Set once every file has been looked at since the index was opened."""

    def refresh(self, *, go_on: Callable[[], bool] = lambda: True) -> bool:
        """Look at every file; return whether `go_on` let it come to the end.

        Raises:
            sqlite3.Error: the index cannot be written.
        """
        with self._writer.opened() as connection:
            known = known_files(connection)
        seen: set[str] = set()
        files = walk(self._folder, lambda path, stamp: known.get(path) != stamp)
        while go_on():
            # Read and written down under one lock: a file saved in between is never overtaken by its older self.
            with self._begun() as connection:
                batch = list(islice(files, BATCH))
                writing = Writing(connection, many=sum(found.content is not None for found in batch) > MANY)
                for found in batch:
                    seen.add(found.path)
                    self._put(writing, found)
                writing.finish()
            if len(batch) < BATCH:
                self.note(known.keys() - seen)
                with self._begun() as connection:
                    recount(connection)
                self.settled.set()
                return True
        files.close()
        return False

    def note(self, paths: Collection[str]) -> None:
        """Look at some files, whatever became of them.

        Raises:
            sqlite3.Error: the index cannot be written.
        """
        if not paths:
            return
        with self._begun() as connection:
            writing = Writing(connection, many=False)
            for path in paths:
                found = look(self._folder, path) if is_note(path) else None
                if found is None:
                    writing.drop(path)
                else:
                    self._put(writing, found)
            writing.finish()

    def ask(self, question: Callable[[sqlite3.Connection], Result]) -> Result:
        """Return what `question` makes of the index. Where that is damaged it is begun anew, and asked again.

        Raises:
            sqlite3.Error: the index cannot be used.
        """
        try:
            with self._reader.opened() as connection:
                return question(connection)
        except sqlite3.OperationalError:
            raise
        except sqlite3.DatabaseError as exc:
            logger.warning("the index of the notes is damaged and is made anew: %s", exc)
            self.restart()
            self.refresh()
            with self._reader.opened() as connection:
                return question(connection)

    def keep_vectors(self, model: str, vectors: Sequence[tuple[bytes, bytes]]) -> None:
        """Keep what `model` made of texts, by their digests.

        Raises:
            sqlite3.Error: the index cannot be written.
        """
        rows = [(model, digest, vector) for digest, vector in vectors]
        with self._begun() as connection:
            connection.executemany("INSERT OR IGNORE INTO vectors (model, digest, vector) VALUES (?, ?, ?)", rows)

    def keep_problem(self, words: str) -> None:
        """Keep what is the matter with the embedder, for `doctor`; "" is nothing.

        Raises:
            sqlite3.Error: the index cannot be written.
        """
        if not words and not self.ask(lambda each: each.execute("SELECT count(*) FROM problems").fetchone()[0]):
            return
        with self._begun() as connection:
            connection.execute("DELETE FROM problems")
            if words:
                connection.execute("INSERT INTO problems (words) VALUES (?)", (words,))

    def lost(self) -> bool:
        """Return whether the index is another one than this process filled, so that every file must be looked at."""
        if self._writer.replaced():
            self.settled.clear()
        return not self.settled.is_set()

    def restart(self) -> None:
        """Throw the index away."""
        self.settled.clear()
        with self._writer.lock, self._reader.lock:
            self._writer.shut()
            self._reader.shut()
            schema.discard(self._path)

    def close(self) -> None:
        """Close the index, for good: who still asks is told."""
        for door in (self._writer, self._reader):
            with door.lock:
                door.shut()
                door.closed = True

    def _put(self, writing: Writing, found: Found) -> None:
        if found.content is None:
            return
        now = int(self._clock.now().timestamp() * 1_000_000_000)
        fresh = abs(now - found.stamp.changed) < _FRESH
        # Changed again within a tick of the file system's clock it would look the same, so it is looked at once more.
        stamp = Stamp(found.stamp.inode, -1, found.stamp.changed) if fresh else found.stamp
        writing.put(found.path, stamp, text_of(found.content))

    @contextmanager
    def _begun(self) -> Generator[sqlite3.Connection]:
        with self._writer.opened() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


class _Door:
    """A connection to whatever stands at a path now, opened when it is first needed."""

    def __init__(self, path: Path) -> None:
        self.lock = threading.RLock()
        self._path = path
        self._connection: sqlite3.Connection | None = None
        self._inode = 0
        self.closed = False

    @contextmanager
    def opened(self) -> Generator[sqlite3.Connection]:
        with self.lock:
            if self.closed:
                raise sqlite3.OperationalError("it is closed")
            if self._connection is None or self.replaced():
                self.shut()
                self._connection = schema.connect(self._path)
                self._inode = self._path.stat().st_ino
            yield self._connection

    def replaced(self) -> bool:
        """Return whether what was opened does not stand there any more."""
        if self._connection is None:
            return False
        try:
            return self._path.stat().st_ino != self._inode
        except OSError:
            return True

    def shut(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()
