"""Every term that some passage holds, how many passages hold it, and the trigrams of each.

Functions of a plain connection; those that write are called inside a transaction. Promises that counts are right, or
marked as not there: after very many changes at once they are all made anew, by `recount`, which costs less than
keeping them right meanwhile. Knows no passage.
"""

import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence


def counted(connection: sqlite3.Connection) -> bool:
    """Return whether the counts are there."""
    return bool(connection.execute("SELECT counted FROM totals").fetchone()[0])


def held(connection: sqlite3.Connection, terms: Sequence[str]) -> dict[str, int]:
    """Return how many passages hold each of `terms`, of those that are held."""
    if not counted(connection):
        found = (
            connection.execute("SELECT term, doc FROM counts WHERE term = ?", (term,)).fetchone() for term in terms
        )
        return dict(row for row in found if row)
    statement = "SELECT t.term, t.passages FROM json_each(?) AS j JOIN terms AS t ON t.term = j.value"
    return dict(connection.execute(statement, (json.dumps(terms),)).fetchall())


def leave_uncounted(connection: sqlite3.Connection) -> None:
    """Mark the counts as not there, because more is written than is worth counting one by one."""
    connection.execute("UPDATE totals SET counted = 0")


def count(connection: sqlite3.Connection, changes: Mapping[str, int]) -> None:
    """Write down for each term how many more passages hold it than before, or how many fewer."""
    if not counted(connection):
        return
    last = connection.execute("SELECT coalesce(max(id), 0) FROM terms").fetchone()
    connection.executemany(
        "INSERT INTO terms (term, passages) VALUES (?, ?) "
        "ON CONFLICT (term) DO UPDATE SET passages = passages + excluded.passages",
        sorted((term, change) for term, change in changes.items() if change),
    )
    connection.execute("INSERT INTO grams (rowid, term) SELECT id, term FROM terms WHERE id > ?", last)
    _forget(connection, (term for term, change in changes.items() if change < 0))


def recount(connection: sqlite3.Connection) -> None:
    """Make the counts anew if they are not there."""
    if counted(connection):
        return
    connection.execute("DELETE FROM terms")
    connection.execute("INSERT INTO terms (term, passages) SELECT term, doc FROM counts")
    connection.execute("INSERT INTO grams (grams) VALUES ('rebuild')")
    connection.execute("UPDATE totals SET counted = 1")


def _forget(connection: sqlite3.Connection, terms: Iterable[str]) -> None:
    for term in terms:
        found = connection.execute("SELECT id FROM terms WHERE term = ? AND passages <= 0", (term,)).fetchone()
        if found is not None:
            connection.execute("INSERT INTO grams (grams, rowid, term) VALUES ('delete', ?, ?)", (*found, term))
            connection.execute("DELETE FROM terms WHERE id = ?", found)
