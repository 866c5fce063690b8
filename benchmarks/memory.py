"""Finding notes: how fast they are indexed and found, beside reading every file, and how many are found at all.

Recall is that of `tests/memory/recall`, whose questions were written beside the notes: half of them share words with
their note, or parts of them, or mistyped ones, and more than a third share none. Hybrid search is measured where
`PICKLEBOT_BENCH_EMBEDDINGS` names a server and a model: `http://127.0.0.1:8099 e5`.
"""

import asyncio
import os
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path
from random import Random
from statistics import median
from time import perf_counter

from benchmarks.corpus import write_notes
from benchmarks.rows import Bar, Row, Scale
from picklebot.clock import SystemClock
from picklebot.memory.embedding import Embedder
from picklebot.memory.embedding_http import create
from picklebot.memory.memories import Memories
from tests.memory.recall.questions import KINDS, Labelled, load, substring

FOUND = Bar(times=0.01, most=10)  #: milliseconds, and beside reading every file
INDEXED = Bar(ratio=1.0)
LEAST = 4_000  #: notes indexed in a second
READ = "reading every file"


def run(scale: Scale) -> list[Row]:
    """Measure speed, then recall."""
    count = scale.of(100_000, 300)
    folder = scale.folder / "memories"
    some = write_notes(folder, count)
    return [*asyncio.run(_speed(scale, folder, some, count)), *asyncio.run(_recall(scale))]


async def _speed(scale: Scale, folder: Path, some: Sequence[str], count: int) -> list[Row]:
    case = f"{count:,} notes of 1 KB"
    reading = median([_read_all(folder, word) for word in ("absent", "nothing", "nowhere")])
    rows = [_row(case, "index", await _index(folder, scale.folder, count), "/s", "at least", LEAST, INDEXED)]
    async with _followed(folder, scale.folder) as memories:
        asked = _questions(some)
        for kind, questions in asked.items():
            took = [await _timed(lambda query=query: memories.search(query)) for query in questions]  # type: ignore[misc]  # mypy knows no default in a lambda
            rows.append(_row(case, f"search p50, {kind}", median(took), "ms", READ, reading, FOUND))
        rows.append(_row(case, "a changed file is found", await _changed(folder, memories), "ms", bar=Bar(most=2_000)))
        answers = {kind: await _answers(memories, questions) for kind, questions in asked.items()}
        await memories.reindex()
        again = {kind: await _answers(memories, questions) for kind, questions in asked.items()}
        other = sum(answers[kind] != again[kind] for kind in asked)
    return [*rows, _row(case, "kinds of answers that differ after reindexing", other, "", bar=Bar(most=0))]


async def _index(folder: Path, state: Path, count: int) -> float:
    memories = Memories(folder, state, clock=SystemClock())
    began = perf_counter()
    await memories.reindex()
    rate = count / (perf_counter() - began)
    await memories.close()
    return rate


@asynccontextmanager
async def _followed(folder: Path, state: Path) -> AsyncGenerator[Memories]:
    memories = Memories(folder, state, clock=SystemClock())
    following = asyncio.create_task(memories.follow(), name="following")
    try:
        yield memories
    finally:
        following.cancel()
        await asyncio.wait({following})
        await memories.close()


def _questions(some: Sequence[str]) -> dict[str, list[str]]:
    rng = Random(3)
    texts = [text.split() for text in some]
    return {
        "one word": [rng.choice(words) for words in texts],
        "four words": [" ".join(rng.sample(words, 4)) for words in texts],
        "part of a word": [max(words, key=len)[1:-1] for words in texts],
        "a typo": [_mistyped(max(words, key=len), rng) for words in texts],
    }


def _mistyped(word: str, rng: Random) -> str:
    place = rng.randrange(1, len(word) - 1)
    return word[:place] + word[place + 1] + word[place] + word[place + 2 :]


async def _answers(memories: Memories, questions: Sequence[str]) -> list[list[tuple[str, int]]]:
    found = [await memories.search(query) for query in questions[:50]]
    return [[(note.path, note.line) for note in each.notes] for each in found]


async def _timed(search: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await search()
    return (perf_counter() - began) * 1_000


def _read_all(folder: Path, word: str) -> float:
    """Return how long it takes to look for a word in every file, in milliseconds."""
    began = perf_counter()
    for top, _, names in os.walk(folder):
        for name in names:
            with open(f"{top}/{name}", encoding="utf-8") as file:  # noqa: PTH123  # the fastest way is what is compared
                _ = word in file.read().lower()
    return (perf_counter() - began) * 1_000


async def _changed(folder: Path, memories: Memories) -> float:
    (folder / "topics/000/fresh.md").write_text("an unheard-of xylophonist\n", encoding="utf-8")
    began = perf_counter()
    async with asyncio.timeout(60):
        while not (await memories.search("xylophonist")).notes:  # noqa: ASYNC110  # the fact is in another thread
            await asyncio.sleep(0.01)
    return (perf_counter() - began) * 1_000


async def _recall(scale: Scale) -> list[Row]:
    labelled = load()
    folder = labelled.write(scale.folder / "labelled")
    found: dict[str, list[list[str]]] = {"substring": [substring(labelled, each.text) for each in labelled.questions]}
    named = os.environ.get("PICKLEBOT_BENCH_EMBEDDINGS", "").split()
    embedders = {"words": None, **({"hybrid": _embedder(*named)} if named and not scale.quick else {})}
    for name, embedder in embedders.items():
        memories = Memories(folder, scale.folder / f"labelled-{name}", clock=SystemClock(), embedder=embedder)
        (scale.folder / f"labelled-{name}").mkdir()
        await memories.reindex()
        await memories.learn()
        answers = [await memories.search(question.text, 5) for question in labelled.questions]
        found[name] = [[labelled.name_of(note.path) for note in each.notes] for each in answers]
        await memories.close()
    return [row for kind in ("all", *KINDS) for row in _recalled(labelled, found, kind)]


def _recalled(labelled: Labelled, found: dict[str, list[list[str]]], kind: str) -> list[Row]:
    names = list(found)
    shares = {name: labelled.recall(found[name], kind) for name in names}
    rows: list[Row] = []
    for before, name in pairwise(names):
        bar = Bar(ratio=1.0) if kind == "all" else None
        rows.append(_row(f"recall@5, {kind}", name, shares[name], "%", before, shares[before], bar))
    return rows


def _embedder(url: str, model: str) -> Embedder:
    return create(
        name=model,
        base_url=url,
        api_key="",
        auth="bearer",
        query_prefix="query: ",
        passage_prefix="passage: ",
        timeout=300.0,
    )


def _row(  # noqa: PLR0913, PLR0917  # a row has these
    case: str, what: str, figure: float, unit: str, beside: str = "", other: float | None = None, bar: Bar | None = None
) -> Row:
    return Row(bench="memory", case=case, what=what, figure=figure, unit=unit, beside=beside, other=other, bar=bar)
