"""What is meant by a question: its words, how rare each is, and what else each may stand for.

Functions of a plain connection. Promises the same answer from an index that followed every change and from one made
anew. Knows no passage.
"""

import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from picklebot.memory.kinship import distance, is_form, slips, splits
from picklebot.memory.small_words import SMALL
from picklebot.memory.terms import asked_of, is_dense

_ASKED = 32  # terms of one question
_FORMS, _INSIDE, _MISTYPED = 12, 12, 4  # further words that one word may stand for
_RARE = 3  # passages; a word in fewer may be mistyped
_NEAR = 500  # known words that are looked at for each


@dataclass(frozen=True, slots=True)
class Word:
    """A term of a question, how many passages hold it, and how many hold each term that it may stand for.

    A `small` one is no more than a hint: a question is not about it.
    """

    term: str
    passages: int
    kin: Mapping[str, int] = field(default_factory=dict[str, int])
    small: bool = False


def words_of(connection: sqlite3.Connection, question: str) -> list[Word]:
    """Return what a question asks for, and what else may be meant by it."""
    asked = asked_of(question)[:_ASKED]
    every = all(term in SMALL for term in asked)
    return [_word(connection, term, small=term in SMALL and not every) for term in asked]


def _word(connection: sqlite3.Connection, term: str, *, small: bool) -> Word:
    count = _passages(connection, term)
    if small or is_dense(term):
        return Word(term, count, small=small)
    kin = {other: _passages(connection, other) for other in _kin(connection, term, rare=count < _RARE)}
    return Word(term, count, {other: held for other, held in kin.items() if held and other != term})


def _passages(connection: sqlite3.Connection, term: str) -> int:
    row = connection.execute("SELECT doc FROM counts WHERE term = ?", (term,)).fetchone()
    return row[0] if row else 0


def _kin(connection: sqlite3.Connection, word: str, *, rare: bool) -> Iterator[str]:
    """Yield the terms that are no stranger to `word`; some may have been in notes that are gone."""
    if len(word) < 3:
        return
    stem = word[: max(3, len(word) - 3)]
    statement = "SELECT term FROM terms WHERE term >= ? AND term < ? ORDER BY term LIMIT ?"
    near = [row[0] for row in connection.execute(statement, (stem, f"{stem}\U0010ffff", _NEAR))]
    forms = [term for term in near if is_form(word, term) or term.startswith(word)]
    yield from sorted(forms, key=lambda term: (abs(len(term) - len(word)), term))[:_FORMS]
    if len(word) > 3:
        inside = _matching(connection, f'"{word}"', _NEAR)
        yield from sorted(inside, key=lambda term: (len(term), term))[:_INSIDE]
    yield from splits(word)
    if rare and (most := slips(word)):
        grams = " OR ".join(f'"{word[place : place + 3]}"' for place in range(len(word) - 2))
        distances = sorted((distance(word, term, most), term) for term in _matching(connection, grams, 60))
        yield from [term for far, term in distances if far <= most][:_MISTYPED]


def _matching(connection: sqlite3.Connection, match: str, limit: int) -> list[str]:
    """Return known words by the trigrams in them, those that fit best."""
    statement = (
        "SELECT t.term FROM grams JOIN terms AS t ON t.id = grams.rowid "
        "WHERE grams MATCH ? ORDER BY grams.rank, t.term LIMIT ?"
    )
    return [row[0] for row in connection.execute(statement, (match, limit))]
