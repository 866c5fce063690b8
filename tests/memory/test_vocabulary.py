"""What the index knows of words, and in which order it gives what holds them."""

import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path
from random import Random
from types import MappingProxyType

import pytest

from picklebot.memory.asking import words_of
from picklebot.memory.fitting import MOST, WEIGHED, fitting
from picklebot.memory.folder import Stamp
from picklebot.memory.schema import connect
from picklebot.memory.vocabulary import counted, held, recount
from picklebot.memory.words import Writing, indexed_of

WORDS = [
    "apple",
    "apples",
    "aple",
    "pie",
    "piece",
    "dentist",
    "dentsit",
    "茶の湯",
    "茶",
    "fahrradschluessel",
    "schluessel",
    "4711",
]
DAY = 86_400 * 1_000_000_000


@pytest.fixture
def index(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path / "memory.db")) as connection:
        yield connection


def put(
    index: sqlite3.Connection,
    notes: dict[str, str],
    *,
    many: bool = False,
    days: Mapping[str, int] = MappingProxyType({}),
) -> None:
    """Write notes down in one transaction; an empty one is gone."""
    index.execute("BEGIN IMMEDIATE")
    writing = Writing(index, many=many)
    for path, text in notes.items():
        if text:
            writing.put(path, Stamp(1, len(text), days.get(path, 0) * DAY), text)
        else:
            writing.drop(path)
    writing.finish()
    index.execute("COMMIT")


def found(index: sqlite3.Connection, question: str, limit: int = 10) -> list[str]:
    place = "SELECT f.path FROM passages AS p JOIN files AS f ON f.id = p.file WHERE p.id = ?"
    fits = fitting(index, words_of(index, question), limit)
    return [index.execute(place, (fit.passage,)).fetchone()[0] for fit in fits]


def test_words_counted_one_by_one_and_all_at_once_are_the_same(index: sqlite3.Connection, tmp_path: Path) -> None:
    rng = Random(5)
    notes: dict[str, str] = {}
    for _ in range(60):
        changed = {
            f"topics/n{rng.randrange(12)}.md": " ".join(rng.choices(WORDS, k=rng.randrange(5))) for _ in range(3)
        }
        put(index, changed)
        notes = {path: text for path, text in {**notes, **changed}.items() if text}
    exact = Counter(term for path, text in notes.items() for term in set(indexed_of(path, text)))
    with closing(connect(tmp_path / "other.db")) as other:
        put(other, notes, many=True)
        assert not counted(other)
        questions = ("apple pie", "4711", "茶", *WORDS)
        assert held(other, list(exact)) == exact  # slower, and as true
        assert set(found(other, "apple")) == {path for path, text in notes.items() if "apple" in text.split()}
        recount(other)
        for each in (index, other):
            assert counted(each)
            assert dict(each.execute("SELECT term, passages FROM terms").fetchall()) == exact
            each.execute("INSERT INTO grams (grams) VALUES ('integrity-check')")
        assert [found(index, question) for question in questions] == [found(other, question) for question in questions]


def test_of_very_many_notes_that_fit_equally_the_latest_are_found(index: sqlite3.Connection) -> None:
    """In whatever order they were written down, and with few of them read."""
    count = 2 * MOST
    order = Random(1).sample(range(count), count)
    days = {f"topics/n{number}.md": number for number in order}
    for part in range(0, count, 2_000):
        put(index, {f"topics/n{number}.md": "apple" for number in order[part : part + 2_000]}, many=True, days=days)
    recount(index)
    latest = [f"topics/n{number}.md" for number in range(count - 1, count - 1 - WEIGHED, -1)]
    assert found(index, "apple", WEIGHED) == found(index, "apple topics", WEIGHED) == latest
    steps = 0

    def step() -> None:
        nonlocal steps
        steps += 1

    index.set_progress_handler(step, 100)
    found(index, "apple")
    assert steps * 100 < count, "what is as good as the first is not looked at"
