"""What is meant by a question: its words, how rare each is, and what else each may stand for.

Functions of a plain connection. Promises the same answer from an index that followed every change and from one made
anew. Knows no passage.
"""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass, field
from heapq import nlargest
from math import log1p

from picklebot.memory.kinship import distance, is_form, slips, splits
from picklebot.memory.small_words import SMALL
from picklebot.memory.terms import asked_of, is_dense
from picklebot.memory.vocabulary import held

_ASKED = 32  # terms of one question
_FORMS, _INSIDE, _MISTYPED = 12, 12, 4  # further words that one word may stand for
_RARE = 3  # passages; a word in fewer may be mistyped
_NEAR = 500  # known words that are looked at for each
_COMMON = 2_000  # words; what as many share says nothing about any of them
_SHARING, _COMPARED = 240, 60  # words that share most with a mistyped one: by trigrams, and letter by letter


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
    counts = held(connection, asked)
    every = all(term in SMALL for term in asked)
    return [_word(connection, term, counts.get(term, 0), small=term in SMALL and not every) for term in asked]


def _word(connection: sqlite3.Connection, term: str, count: int, *, small: bool) -> Word:
    if small or is_dense(term) or len(term) < 3:
        return Word(term, count, small=small)
    kin = {*_forms(connection, term), *splits(term)}
    if len(term) > 3:
        kin |= set(_inside(connection, term))
    if count < _RARE:
        kin |= set(_mistyped(connection, term))
    return Word(term, count, held(connection, sorted(kin - {term})))


def _forms(connection: sqlite3.Connection, word: str) -> list[str]:
    """Return terms that begin as `word` does."""
    stem = word[: max(3, len(word) - 3)]
    statement = "SELECT term FROM terms WHERE term >= ? AND term < ? ORDER BY term LIMIT ?"
    near = [row[0] for row in connection.execute(statement, (stem, f"{stem}\U0010ffff", _NEAR))]
    forms = [term for term in near if is_form(word, term) or term.startswith(word)]
    return sorted(forms, key=lambda term: (abs(len(term) - len(word)), term))[:_FORMS]


def _inside(connection: sqlite3.Connection, word: str) -> list[str]:
    """Return the shortest terms with `word` somewhere inside."""
    statement = (
        "SELECT t.term FROM grams JOIN terms AS t ON t.id = grams.rowid WHERE grams MATCH ? "
        "ORDER BY length(t.term), t.term LIMIT ?"
    )
    return [row[0] for row in connection.execute(statement, (f'"{word}"', _INSIDE))]


def _mistyped(connection: sqlite3.Connection, word: str) -> list[str]:
    """Return the terms that `word` may be a slip of: of those that share its rarest trigrams the nearest."""
    most = slips(word)
    shared: dict[int, float] = {}
    for gram in {word[place : place + 3] for place in range(len(word) - 2)} if most else ():
        statement = "SELECT rowid FROM grams WHERE grams MATCH ? LIMIT ?"
        terms = connection.execute(statement, (f'"{gram}"', _COMMON)).fetchall()
        worth = 1 / (1 + log1p(len(terms))) if len(terms) < _COMMON else 0.0
        for (term,) in terms if worth else ():
            shared[term] = shared.get(term, 0.0) + worth
    statement = (
        "SELECT t.id, t.term FROM json_each(?) AS j JOIN terms AS t ON t.id = j.value "
        "WHERE length(t.term) BETWEEN ? AND ?"
    )
    near = connection.execute(statement, (json.dumps(_most(shared, _SHARING)), len(word) - most, len(word) + most))
    best = sorted(near, key=lambda each: (-round(shared[each[0]], 9), each[1]))[:_COMPARED]
    distances = sorted((distance(word, term, most), term) for _, term in best)
    return [term for far, term in distances[:_MISTYPED] if far <= most]


def _most(worth: Mapping[int, float], count: int) -> list[int]:
    """Return those that are worth most: `count` of them, and those worth as much as the last."""
    if len(worth) <= count:
        return list(worth)
    least = nlargest(count, worth.values())[-1] - 1e-9
    return [each for each, value in worth.items() if value >= least]
