"""Finding notes by what they mean: each has a vector, kept under the hash of its text.

Promises that a vector is asked for once, in batches, newest notes first; that an embedder which is down holds nobody
up for long, is tried again, and is told of by every search meanwhile. Knows no word.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol, cast

from picklebot.clock import Clock
from picklebot.errors import ModelError, Transient
from picklebot.memory.embedding import Embedder
from picklebot.memory.index import Index
from picklebot.memory.words import embedded_of
from picklebot.plugins import load

logger = logging.getLogger(__name__)

PATIENCE = 5.0  #: seconds that a search waits for the vector of its question
AGAIN = (5.0, 300.0)  #: seconds until an embedder that failed is tried again: at first, and at most
SIMILAR = 60  #: passages that a question may mean
# How near a passage is at least, as the matrix measures it. Of the 115 labelled questions (tests/memory/recall) whose
# note is among the five nearest to multilingual-e5-small, the one least near is so by 2.16, and by 2.1 when only 50
# notes are there; half of all pairs of a question and a note lie below 0.
NEAR = 2.0
_SPARE = 4  # vectors looked at for each of them: some are of texts that are gone

_LACKING = """
SELECT p.id, p.digest, f.path, t.content FROM passages AS p JOIN files AS f ON f.id = p.file JOIN texts AS t ON t.id = p.id
WHERE p.id > ? AND NOT EXISTS (SELECT 1 FROM vectors AS v WHERE v.digest = p.digest AND v.model = ?)
ORDER BY p.id LIMIT ?
"""
_COUNT = """
SELECT count(*) FROM passages AS p
WHERE NOT EXISTS (SELECT 1 FROM vectors AS v WHERE v.digest = p.digest AND v.model = ?)
"""


class Nearest(Protocol):
    """What finds the nearest of many vectors."""

    def read(self, connection: sqlite3.Connection, model: str) -> None:
        """Take over what is new."""
        ...

    def nearest(self, vector: bytes, limit: int) -> list[tuple[bytes, float]]:
        """Return the nearest, and how near they are."""
        ...


@dataclass(frozen=True, slots=True)
class Meant:
    """The passages that a question means, nearest first, with how near each is; and what is the matter, or ""."""

    passages: Mapping[int, float] = field(default_factory=dict[int, float])
    problem: str = ""


class Meaning:
    """The vectors of one index, from one embedder."""

    def __init__(self, embedder: Embedder, index: Index, *, clock: Clock, batch: int) -> None:
        self._embedder = embedder
        self._index = index
        self._clock = clock
        self._batch = batch
        self._matrix: Nearest | None = None
        self._lacked: tuple[sqlite3.Connection, int, int] | None = None  # how many lack a vector, in which version
        self._bell = asyncio.Event()
        self.problem = ""
        """What is the matter with the embedder, in a sentence."""

    def ring(self) -> None:
        """Say that there may be notes without a vector."""
        self._bell.set()

    async def follow(self) -> None:
        """Have every note's vector made until cancelled, and those of new notes as they come."""
        pause = AGAIN[0]
        while True:
            self._bell.clear()
            try:
                await self.catch_up()
            except (ModelError, sqlite3.Error) as exc:
                await self._tell(str(exc))
                wait = exc.retry_after if isinstance(exc, Transient) and exc.retry_after else pause
                pause = min(pause * 2, AGAIN[1])
                await self._clock.sleep(min(wait, AGAIN[1]))
            else:
                pause = AGAIN[0]
                await self._bell.wait()

    async def catch_up(self) -> None:
        """Have the vectors made that are not there yet, the latest notes first.

        Raises:
            ModelError: the embedder does not answer.
            sqlite3.Error: the index cannot be used.
        """
        last = -1
        while lacking := await asyncio.to_thread(self._lacking, last):
            texts = [embedded_of(path, content) for _, _, path, content in lacking]
            vectors = await self._embedder.embed(texts, asked=False)
            digests = [digest for _, digest, *_ in lacking]
            await asyncio.to_thread(
                self._index.keep_vectors, self._embedder.name, list(zip(digests, vectors, strict=True))
            )
            last = lacking[-1][0]
            await self._mended()

    async def meant(self, question: str) -> Meant:
        """Return what a question means. Never raises: what cannot be asked is told."""
        try:
            async with asyncio.timeout(PATIENCE):
                (vector,) = await self._embedder.embed([question], asked=True)
            passages, lacking, known = await asyncio.to_thread(self._nearest, vector)
        except TimeoutError:
            return await self._failed(f"the embedder did not answer within {PATIENCE:g} s")
        except (ModelError, sqlite3.Error) as exc:
            return await self._failed(str(exc))
        if known and not lacking:
            await self._mended()
        if lacking:
            return Meant(passages, f"{lacking:,} notes could not be searched by meaning yet{self._because()}")
        return Meant(passages)

    async def close(self) -> None:
        """Let go of the embedder."""
        await self._embedder.aclose()

    async def _failed(self, words: str) -> Meant:
        await self._tell(words)
        return Meant(problem=f"searched by words alone, not by meaning: {words}")

    def _because(self) -> str:
        return f": {self.problem}" if self.problem else ""

    async def _tell(self, words: str) -> None:
        if words != self.problem:
            logger.warning("notes cannot be searched by meaning: %s", words)
            await self._keep(words)
        self.problem = words

    async def _mended(self) -> None:
        """Say that the embedder answers, where this process or another has written down that it does not."""
        if self.problem:
            logger.info("notes can be searched by meaning again")
        self.problem = ""
        await self._keep("")

    async def _keep(self, words: str) -> None:
        with suppress(sqlite3.Error):  # whoever searches is told in any case
            await asyncio.to_thread(self._index.keep_problem, words)

    def _lacking(self, last: int) -> list[tuple[int, bytes, str, str]]:
        name = self._embedder.name
        return self._index.ask(lambda connection: connection.execute(_LACKING, (last, name, self._batch)).fetchall())

    def _nearest(self, vector: bytes) -> tuple[dict[int, float], int, bool]:
        matrix = self._matrix = self._matrix or cast("Nearest", load("picklebot.memory.matrix"))
        name = self._embedder.name

        def ask(connection: sqlite3.Connection) -> tuple[dict[int, float], int, bool]:
            matrix.read(connection, name)
            found: dict[int, float] = {}
            for digest, near in matrix.nearest(vector, SIMILAR * _SPARE):
                if near < NEAR or len(found) >= SIMILAR:
                    break
                rows = connection.execute("SELECT id FROM passages WHERE digest = ? ORDER BY id", (digest,))
                found |= dict.fromkeys([row[0] for row in rows], near)
            known = connection.execute("SELECT EXISTS (SELECT 1 FROM problems)").fetchone()[0]
            return dict(list(found.items())[:SIMILAR]), self._count_lacking(connection), bool(known)

        return self._index.ask(ask)

    def _count_lacking(self, connection: sqlite3.Connection) -> int:
        """Return how many passages have no vector; every one is looked at, so only if anything was written since."""
        version: int = connection.execute("PRAGMA data_version").fetchone()[0]
        if self._lacked is None or self._lacked[:2] != (connection, version):
            count: int = connection.execute(_COUNT, (self._embedder.name,)).fetchone()[0]
            self._lacked = (connection, version, count)
        return self._lacked[2]
