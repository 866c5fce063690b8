"""What is written into the index: files, their passages, and the words in them.

Functions of a plain connection, inside a transaction of the caller's. Promises that an index which followed every
change holds the same as one made anew, and that the ids of passages run from the latest to the oldest: so the first
that SQLite finds are the latest, and a search need not look at the others. Knows no disk and no question.
"""

import sqlite3
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b

from picklebot.memory.folder import Stamp
from picklebot.memory.passages import Passage, passages
from picklebot.memory.terms import terms_of
from picklebot.memory.vocabulary import count, leave_uncounted

_DAYS, _PLACES = 2**32, 2**20  # seconds since 1970 that ids tell apart, and passages of one second

_KNOWN = """
SELECT id, line, at, day, origin, writer, outside, content FROM passages JOIN texts USING (id) WHERE file = ?
"""


def known_files(connection: sqlite3.Connection) -> dict[str, Stamp]:
    """Return every file that is in the index, in the version that is there."""
    rows = connection.execute("SELECT path, inode, size, changed FROM files")
    return {path: Stamp(inode, size, changed) for path, inode, size, changed in rows}


class Writing:
    """Changes of one transaction. `finish` writes down what they mean for the words; `many` leaves those uncounted."""

    def __init__(self, connection: sqlite3.Connection, *, many: bool) -> None:
        self._connection = connection
        self._many = many
        self._added: dict[int, str] = {}
        self._removed: dict[int, str] = {}
        self._counts: Counter[str] = Counter()
        self._passages = 0
        self._length = 0

    def put(self, path: str, stamp: Stamp, text: str) -> None:
        """Let the index hold the file `path` as it is now."""
        file, before = self._file(path, stamp)
        unchanged = 0
        for passage in passages(path, text):
            row = _row(passage, stamp)
            same = before.get(row[1:])
            if same:
                identity, line = same.pop()
                unchanged += 1
                if line != row[0]:
                    self._connection.execute("UPDATE passages SET line = ? WHERE id = ?", (row[0], identity))
            else:
                self._add(file, path, row)
        for gone, left in before.items():
            for identity, _ in left:
                self._remove(identity, path, str(gone[-1]))

    def drop(self, path: str) -> None:
        """Let the index forget the file `path`."""
        found = self._connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        if found is None:
            return
        for identity, *_, content in self._connection.execute(_KNOWN, found).fetchall():
            self._remove(identity, path, content)
        self._connection.execute("DELETE FROM files WHERE id = ?", found)

    def finish(self) -> None:
        """Write down which words there are, and how much there is in all."""
        # In order: whenever it is given a smaller id than before, FTS5 writes out all that it has gathered.
        self._connection.executemany(
            "INSERT INTO words (words, rowid, body) VALUES ('delete', ?, ?)", sorted(self._removed.items())
        )
        self._connection.executemany("INSERT INTO words (rowid, body) VALUES (?, ?)", sorted(self._added.items()))
        if self._many:
            leave_uncounted(self._connection)
        else:
            count(self._connection, self._counts)
        totals = (self._passages, self._length)
        self._connection.execute("UPDATE totals SET passages = passages + ?, length = length + ?", totals)

    def _file(self, path: str, stamp: Stamp) -> tuple[int, dict[Sequence[object], list[tuple[int, int]]]]:
        """Return the file's id, and the passages of it that the index has: what they hold, and their ids and lines."""
        known = self._connection.execute("SELECT id FROM files WHERE path = ?", (path,)).fetchone()
        facts = (stamp.inode, stamp.size, stamp.changed)
        if known is None:
            statement = "INSERT INTO files (inode, size, changed, path) VALUES (?, ?, ?, ?)"
            return self._connection.execute(statement, (*facts, path)).lastrowid or 0, {}
        self._connection.execute("UPDATE files SET inode = ?, size = ?, changed = ? WHERE id = ?", (*facts, *known))
        before: dict[Sequence[object], list[tuple[int, int]]] = {}
        for identity, line, *rest in self._connection.execute(_KNOWN, known):
            before.setdefault(tuple(rest), []).append((identity, line))
        return known[0], before

    def _add(self, file: int, path: str, row: Sequence[object]) -> None:
        facts, content = row[:-1], str(row[-1])
        terms = indexed_of(path, content)
        digest, day = _digest(path, content), facts[2]
        assert isinstance(day, int)
        identity = self._free(day, digest)
        self._connection.execute(
            "INSERT INTO passages (id, file, line, at, day, origin, writer, outside, length, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (identity, file, *facts, len(terms), digest),
        )
        self._connection.execute("INSERT INTO texts (id, content) VALUES (?, ?)", (identity, content))
        self._added[identity] = " ".join(terms)
        if not self._many:
            self._counts.update(set(terms))
        self._passages += 1
        self._length += len(terms)

    def _remove(self, identity: int, path: str, content: str) -> None:
        terms = indexed_of(path, content)
        if self._added.pop(identity, None) is None:
            self._removed[identity] = " ".join(terms)
        if not self._many:
            self._counts.subtract(set(terms))
        for table in ("passages", "texts"):
            self._connection.execute(f"DELETE FROM {table} WHERE id = ?", (identity,))  # noqa: S608  # one of two constants
        self._passages -= 1
        self._length -= len(terms)

    def _free(self, day: int, digest: bytes) -> int:
        """Return an id that no passage has: the later the day, the smaller, and within a second by the text."""
        first = (_DAYS - 1 - min(max(day, 0), _DAYS - 1)) * _PLACES
        identity = first + int.from_bytes(digest[:4], "big") % _PLACES
        while self._connection.execute("SELECT 1 FROM passages WHERE id = ?", (identity,)).fetchone() is not None:
            identity += 1
        return identity


def embedded_of(path: str, content: str) -> str:
    """Return the text that a passage's vector is made of: what it is about, and what it says."""
    topic = " ".join(path.removesuffix(".md").rpartition("/")[2].replace("-", " ").split())
    return f"{topic}: {content}"


def _digest(path: str, content: str) -> bytes:
    return blake2b(embedded_of(path, content).encode(), digest_size=16).digest()


def _row(passage: Passage, stamp: Stamp) -> tuple[object, ...]:
    at = int(passage.at.timestamp()) if passage.at else None
    day = int(passage.day.timestamp()) if passage.day else stamp.changed // 1_000_000_000
    return passage.line, at, day, passage.origin, passage.by, int(passage.outside), passage.content


def indexed_of(path: str, content: str) -> list[str]:
    """Return the terms of a passage, those of its topic first."""
    return [*terms_of(path.removesuffix(".md")), *terms_of(content)]


def moment(seconds: int) -> datetime:
    """Return a time as the index keeps it."""
    return datetime.fromtimestamp(seconds, UTC)
