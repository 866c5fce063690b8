"""What is written into the index: files, their passages, and the words in them.

Functions of a plain connection, inside a transaction of the caller's. Promises that an index which followed every
change holds the same as one made anew. Knows no disk and no question.
"""

import sqlite3
from collections.abc import Sequence, Set
from datetime import UTC, datetime
from hashlib import blake2b

from picklebot.memory.folder import Stamp
from picklebot.memory.passages import Passage, passages
from picklebot.memory.terms import is_dense, terms_of

_KNOWN = """
SELECT id, line, at, day, origin, writer, outside, content FROM passages JOIN texts USING (id) WHERE file = ?
"""


def known_files(connection: sqlite3.Connection) -> dict[str, Stamp]:
    """Return every file that is in the index, in the version that is there."""
    rows = connection.execute("SELECT path, inode, size, changed FROM files")
    return {path: Stamp(inode, size, changed) for path, inode, size, changed in rows}


class Writing:
    """Changes of one transaction. `finish` writes down what they mean for the words.

    `known` are words that are in the index already; once the transaction is committed, `fresh` are so too.
    """

    def __init__(self, connection: sqlite3.Connection, known: Set[str]) -> None:
        self.fresh: set[str] = set()
        self._connection = connection
        self._known = known
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
        last = self._connection.execute("SELECT coalesce(max(id), 0) FROM terms").fetchone()
        self._connection.executemany("INSERT OR IGNORE INTO terms (term) VALUES (?)", zip(sorted(self.fresh)))
        self._connection.execute("INSERT INTO grams (rowid, term) SELECT id, term FROM terms WHERE id > ?", last)
        totals = (self._passages, self._length)
        self._connection.execute("UPDATE totals SET passages = passages + ?, length = length + ?", totals)

    def _file(self, path: str, stamp: Stamp) -> tuple[int, dict[Sequence[object], list[tuple[int, int]]]]:
        """Return the file's id, and the passages of it that the index has: what they hold, and their ids and lines."""
        # Not one statement for both: what may undo itself makes FTS5 write out all that it has gathered.
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
        identity = self._connection.execute(
            "INSERT INTO passages (file, line, at, day, origin, writer, outside, length, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (file, *facts, len(terms), _digest(path, content)),
        ).lastrowid
        self._connection.execute("INSERT INTO texts (id, content) VALUES (?, ?)", (identity, content))
        body = " ".join(terms)
        self._connection.execute("INSERT INTO words (rowid, body) VALUES (?, ?)", (identity, body))
        fresh = set(terms) - self._known
        self.fresh |= fresh if body.isascii() else {term for term in fresh if not is_dense(term)}
        self._passages += 1
        self._length += len(terms)

    def _remove(self, identity: int, path: str, content: str) -> None:
        terms = indexed_of(path, content)
        self._connection.execute(
            "INSERT INTO words (words, rowid, body) VALUES ('delete', ?, ?)", (identity, " ".join(terms))
        )
        for table in ("passages", "texts"):
            self._connection.execute(f"DELETE FROM {table} WHERE id = ?", (identity,))  # noqa: S608  # one of two constants
        self._passages -= 1
        self._length -= len(terms)


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
