"""What is meant by a question: its words, how rare each is, and what else each may stand for.

Functions of a plain connection. Promises the same answer from an index that followed every change and from one made
anew. Knows no passage.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from picklebot.memory.kinship import distance, is_form, slips, splits
from picklebot.memory.terms import asked_of, is_dense

_ASKED = 32  # terms of one question
_FORMS, _INSIDE, _MISTYPED = 12, 12, 4  # further words that one word may stand for
_RARE = 3  # passages; a word in fewer may be mistyped
_NEAR = 500  # known words that are looked at for each


@dataclass(frozen=True, slots=True)
class Word:
    """A term of a question, how many passages hold it, and how many hold each term that it may stand for."""

    term: str
    passages: int
    kin: Mapping[str, int] = field(default_factory=dict[str, int])


def words_of(connection: sqlite3.Connection, question: str) -> list[Word]:
    """Return what a question asks for, and what else may be meant by it."""
    return [_word(connection, term) for term in asked_of(question)[:_ASKED]]


def _word(connection: sqlite3.Connection, term: str) -> Word:
    if is_dense(term):
        return Word(term, _holding(connection, term))
    count = _passages(connection, term)
    kin = dict(_kin(connection, term, rare=count < _RARE))
    kin.pop(term, None)
    return Word(term, count, kin)


def _holding(connection: sqlite3.Connection, term: str) -> int:
    statement = "SELECT count(*) FROM (SELECT 1 FROM words WHERE words MATCH ? LIMIT 5000)"
    count: int = connection.execute(statement, (f'"{term}"',)).fetchone()[0]
    return count


def _passages(connection: sqlite3.Connection, term: str) -> int:
    row = connection.execute("SELECT passages FROM terms WHERE term = ?", (term,)).fetchone()
    return row[0] if row else 0


def _kin(connection: sqlite3.Connection, word: str, *, rare: bool) -> Iterator[tuple[str, int]]:
    """Yield the terms that are no stranger to `word`, and how many passages hold each."""
    if len(word) < 3:
        return
    stem = word[: max(3, len(word) - 3)]
    near = connection.execute(
        "SELECT term, passages FROM terms WHERE term >= ? AND term < ? AND passages > 0 ORDER BY term LIMIT ?",
        (stem, f"{stem}\U0010ffff", _NEAR),
    ).fetchall()
    forms = [(term, count) for term, count in near if is_form(word, term) or term.startswith(word)]
    yield from sorted(forms, key=lambda each: (abs(len(each[0]) - len(word)), each[0]))[:_FORMS]
    if len(word) > 3:
        yield from sorted(_matching(connection, f'"{word}"', _NEAR), key=lambda each: (len(each[0]), each))[:_INSIDE]
    for part in splits(word):
        if count := _passages(connection, part):
            yield part, count
    if rare and (most := slips(word)):
        grams = " OR ".join(f'"{word[place : place + 3]}"' for place in range(len(word) - 2))
        distances = sorted((distance(word, term, most), term, n) for term, n in _matching(connection, grams, 50))
        yield from [(term, count) for far, term, count in distances if far <= most][:_MISTYPED]


def _matching(connection: sqlite3.Connection, match: str, limit: int) -> list[tuple[str, int]]:
    """Return known words by the trigrams in them, those that fit best."""
    statement = (
        "SELECT t.term, t.passages FROM (SELECT rowid FROM grams WHERE grams MATCH ? ORDER BY rank LIMIT ?) AS g "
        "JOIN terms AS t ON t.id = g.rowid WHERE t.passages > 0"
    )
    return connection.execute(statement, (match, limit)).fetchall()
