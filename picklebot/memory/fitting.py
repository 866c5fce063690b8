"""Which passages fit the words of a question, best first: BM25 (Robertson and Zaragoza, 2009).

Functions of a plain connection. Promises a bounded time: of the words of a question the rarest are looked up first, in
about `MOST` passages together, the latest of each, and only the `WEIGHED` that hold most of them are read. Relies on
the ids of passages running from the latest to the oldest. Knows no vector.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from heapq import nlargest
from math import log

from picklebot.memory.asking import Word
from picklebot.memory.words import indexed_of

MOST = 6_000  #: passages that are looked up for one question
WEIGHED = 60  #: passages that are read for one question
_K, _B = 1.2, 0.75  # the usual constants of BM25
_KIN = 0.6  # what a word counts that is only akin to the one that was asked for
_SMALL = 0.15  # what a word counts that no question is about
_LEAST = 0.05  # what even the commonest word counts

_READ = """
SELECT p.id, f.path, p.length, p.day, p.line, t.content FROM json_each(?) AS j JOIN passages AS p ON p.id = j.value
JOIN files AS f ON f.id = p.file JOIN texts AS t ON t.id = p.id
"""


@dataclass(frozen=True, slots=True)
class Fit:
    """A passage that fits, and the words of it that do. `share` is how much of the question those are worth, up to 1."""

    passage: int
    score: float
    share: float
    words: tuple[str, ...]


def fitting(connection: sqlite3.Connection, words: Sequence[Word], limit: int) -> list[Fit]:
    """Return the passages that fit `words` best; among equals the latest first."""
    total, length = connection.execute("SELECT passages, length FROM totals").fetchone()
    worth = _worth(words, total)
    chosen = _choose(_looked_up(connection, words, worth))
    wanted = {term for terms in worth for term in terms}
    average = max(length / max(total, 1), 1.0)
    # A word that no note holds is worth as much as one that a single note does: what is asked for may not be there.
    asked = sum(
        max(terms.values(), default=_rarity(0, total) * (_SMALL if word.small else 1.0))
        for word, terms in zip(words, worth, strict=True)
    )
    fits: list[tuple[float, int, str, int, Fit]] = []
    for passage, path, size, day, line, content in connection.execute(_READ, (_json(chosen),)):
        indexed = indexed_of(path, content)
        counts = {term: indexed.count(term) for term in wanted.intersection(indexed)}
        norm = _K * (1 - _B + _B * size / average)
        fit = _weigh(passage, counts, worth, norm, asked)
        fits.append((-round(fit.score, 9), -day, path, line, fit))
    return [each[-1] for each in sorted(fits, key=lambda each: each[:-1])[:limit]]


def _worth(words: Iterable[Word], total: int) -> list[Mapping[str, float]]:
    """Return for each word of the question what each term that stands for it is worth: more the rarer it is."""
    found: list[Mapping[str, float]] = []
    for word in words:
        own = {word.term: _rarity(word.passages, total) * (_SMALL if word.small else 1.0)} if word.passages else {}
        # Together, so that a slip of the pen that stands in one note does not count as a rare word.
        akin = _KIN * min(_rarity(sum(word.kin.values()), total), *own.values(), 99.0) if word.kin else 0.0
        found.append({**dict.fromkeys(word.kin, akin), **own})
    return found


def _rarity(passages: int, total: int) -> float:
    return max(log(1 + (total - passages + 0.5) / (passages + 0.5)), _LEAST)


def _looked_up(
    connection: sqlite3.Connection, words: Sequence[Word], worth: Sequence[Mapping[str, float]]
) -> dict[int, float]:
    """Return what the passages that hold the words are worth, however often they hold them."""
    sums: dict[int, float] = {}
    room = MOST
    # Of one word, those that hold it are all worth the same, so no more are wanted than will be read.
    limit = MOST if len(words) > 1 else 2 * WEIGHED
    for word, terms in sorted(zip(words, worth, strict=True), key=lambda each: (each[0].small, each[0].passages or 1)):
        if word.small and sums:
            break  # they are weighed in what the others found
        best: dict[int, float] = {}
        for group, count in ((list(word.kin), sum(word.kin.values())), ([word.term], word.passages)):
            if not group or not count or (sums and count > room):
                continue
            room -= count
            value = terms[group[0]]
            match = " OR ".join(f'"{term}"' for term in group)
            rows = connection.execute("SELECT rowid FROM words WHERE words MATCH ? LIMIT ?", (match, limit)).fetchall()
            best.update(dict.fromkeys([row[0] for row in rows], value))
        both = {passage: sums[passage] + best[passage] for passage in sums.keys() & best.keys()}
        sums = {**sums, **best, **both}
    return sums


def _choose(sums: Mapping[int, float]) -> list[int]:
    """Return the passages worth reading: those worth most, and of those worth the same the latest."""
    if len(sums) <= WEIGHED:
        return list(sums)
    least = nlargest(WEIGHED, sums.values())[-1]
    chosen = [passage for passage, value in sums.items() if value > least + 1e-9]
    equal = sorted(passage for passage, value in sums.items() if abs(value - least) <= 1e-9)
    return chosen + equal[: WEIGHED - len(chosen)]


def _weigh(
    passage: int, counts: Mapping[str, int], worth: Iterable[Mapping[str, float]], norm: float, asked: float
) -> Fit:
    """Return how well a passage fits, in which the terms stand so often; `asked` is what the whole question is worth."""
    score, known, held = 0.0, 0.0, list[str]()
    for terms in worth:
        here = [
            (terms[term] * count * (_K + 1) / (count + norm), term) for term, count in counts.items() if term in terms
        ]
        if here:
            best, which = max(here)
            score += best
            known += max(terms[term] for _, term in here)
            held.append(which)
    return Fit(passage, score, known / asked, tuple(held))


def _json(numbers: Sequence[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"
