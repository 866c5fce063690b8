"""All that is remembered: notes in files, and the index that finds them.

Promises that what was saved is found at once, by whoever asks next, and that a search says what it could not search.
Knows no tool and no prompt.
"""

import asyncio
import sqlite3
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from picklebot.clock import Clock
from picklebot.errors import ModelError
from picklebot.memory.asking import words_of
from picklebot.memory.base import Found, Note
from picklebot.memory.commands import carried_out, carry_out, changed_by
from picklebot.memory.editing import Editor
from picklebot.memory.embedding import Embedder
from picklebot.memory.fitting import fitting
from picklebot.memory.following import Following
from picklebot.memory.index import Index
from picklebot.memory.meaning import Meaning, Meant
from picklebot.memory.notes import Notes
from picklebot.memory.ranking import fuse
from picklebot.memory.versions import Versions
from picklebot.memory.words import moment
from picklebot.tools.memory_commands import Author, Command

INDEX, VERSIONS = "memory.db", "memory-versions"  #: in the folder of the workspace's state
PATIENCE = 2.0  #: seconds that a search waits for files which nobody has looked at yet
DEPTH = 50  #: passages of each way of looking

_NOTES = """
SELECT p.id, f.path, p.line, p.at, p.day, p.origin, p.writer, p.outside, t.content
FROM json_each(?) AS j JOIN passages AS p ON p.id = j.value
JOIN files AS f ON f.id = p.file JOIN texts AS t ON t.id = p.id
"""
_DAYS = "SELECT p.id, p.day FROM json_each(?) AS j JOIN passages AS p ON p.id = j.value WHERE p.outside <= ?"
_SIZE = "SELECT (SELECT count(*) FROM files), (SELECT passages FROM totals)"
_LATEST = """
SELECT p.id FROM passages AS p JOIN files AS f ON f.id = p.file WHERE p.outside <= ?
ORDER BY p.day DESC, f.path, p.line DESC LIMIT ?
"""


class Memories:
    """The notes of one workspace. Closed with `close`; while nobody runs `follow`, each search looks at the files first."""

    def __init__(
        self, folder: Path, state: Path, *, clock: Clock, embedder: Embedder | None = None, batch: int = 32
    ) -> None:
        self._notes = Notes(folder)
        self.versions = Versions(state / VERSIONS)
        self._editor = Editor(folder, self.versions, self._notes.writing)
        self._index = Index(folder, state / INDEX, clock=clock)
        self._meaning = Meaning(embedder, self._index, clock=clock, batch=batch) if embedder is not None else None
        self._clock = clock
        self._folder = folder
        self._following: Following | None = None

    async def save(
        self, topic: str, content: str, *, at: datetime, origin: str, by: str = "", outside: bool = False
    ) -> str:
        """Keep a note, once; return the path of its file.

        Raises:
            ValueError: it cannot be kept, in words.
        """
        path = await self._notes.save(topic, content, at=at, origin=origin, by=by, outside=outside)
        await self._index_files([path])
        return path

    async def read(self, path: str) -> str:
        """Return a file of notes.

        Raises:
            NotFound: there is no such file, or it is none of ours.
        """
        return await self._notes.read(path)

    async def paths(self) -> list[str]:
        """Return the paths of all files of notes, sorted."""
        return await self._notes.paths()

    async def search(self, query: str, limit: int = 10, *, outside: bool = True) -> Found:
        """Return the notes that fit `query` best."""
        try:
            problems = await asyncio.to_thread(self._catch_up)
            meant = await self._meant(query)
            notes = await asyncio.to_thread(self._search, query, meant.passages, limit, outside)
        except sqlite3.Error as exc:
            return Found(problems=[f"the index of the notes cannot be used: {exc}"])
        return Found(notes=notes, problems=[*problems, *([meant.problem] if meant.problem else [])])

    async def latest(self, limit: int = 10, *, outside: bool = True) -> Sequence[Note]:
        """Return the notes of the latest days, newest first."""
        await asyncio.to_thread(self._catch_up)
        return await asyncio.to_thread(self._latest, limit, outside)

    async def refresh(self, paths: Collection[str] | None = None) -> None:
        """Look at some files, or at all of them, so that they are found as they are now."""
        if paths is None:
            await asyncio.to_thread(self._index.refresh)
        else:
            await asyncio.to_thread(self._index.note, paths)

    async def files(self) -> list[tuple[str, int, datetime]]:
        """Return the path, the size in bytes and the last change of every file of notes, sorted."""
        return await self._notes.files()

    async def size(self) -> tuple[int, int]:
        """Return how many files and how many notes are in the index; a long note counts once for each of its pieces."""
        return await asyncio.to_thread(self._index.ask, lambda connection: connection.execute(_SIZE).fetchone())

    async def learn(self) -> None:
        """Have the vectors made that are not there yet, where there is an embedder.

        Raises:
            ModelError: it does not answer.
        """
        if self._meaning is not None:
            await self._meaning.catch_up()

    async def reindex(self) -> None:
        """Make the index anew."""
        await asyncio.to_thread(self._index.restart)
        await self.refresh()

    async def close(self) -> None:
        """Close the index, and the embedder."""
        if self._meaning is not None:
            await self._meaning.close()
        await asyncio.to_thread(self._index.close)

    async def carry_out(self, command: Command, author: Author) -> str:
        """Do what the memory tool's `command` says; return what to tell the model.

        Raises:
            ValueError, NotFound: it cannot be done, in words.
        """
        told = await asyncio.to_thread(carry_out, self._folder, self._editor, command, author)
        await self._index_files(changed_by(command))
        return told

    async def carried_out(self, command: Command) -> str | None:
        """Return what to tell of a command that was carried out already; None if it was not."""
        return await asyncio.to_thread(carried_out, self._folder, command)

    async def revert(self, path: str, version: str) -> None:
        """Let a file hold again what it held in a version.

        Raises:
            NotFound: there is no such version.
        """
        await asyncio.to_thread(self._editor.restore, path, version, self._clock.now())
        await self._index_files([path])

    async def accept(self, path: str) -> str:
        """Move a file out of quarantine, because its owner has looked at it; return where it is now.

        Raises:
            ValueError, NotFound: there is no such file in quarantine.
        """
        new = await asyncio.to_thread(self._editor.accept, path, self._clock.now())
        await self._index_files([path, new])
        return new

    async def follow(self) -> None:
        """Keep the index up to date with the files until cancelled, so that no search has to look at them."""
        following = self._following = Following(self._folder, self._index, clock=self._clock)
        meaning = self._meaning
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(following.run(meaning.ring if meaning else _nobody), name="memory: files")
                if meaning is not None:
                    group.create_task(meaning.follow(), name="memory: vectors")
        finally:
            self._following = None

    async def _index_files(self, paths: Collection[str]) -> None:
        try:
            await asyncio.to_thread(self._index.note, paths)
        except sqlite3.Error:
            return  # what is in the files is kept; whoever searches next is told what is wrong with the index

    def _catch_up(self) -> list[str]:
        """See that the files that nobody has looked at yet are looked at, for a while; return what is left to say."""
        if (following := self._following) is not None:
            if self._index.lost():
                following.look()
            whole = self._index.settled.wait(PATIENCE)
        else:
            until = self._clock.monotonic() + PATIENCE
            whole = self._index.refresh(go_on=lambda: self._clock.monotonic() < until)
        return [] if whole else ["the notes are still being indexed, so some of them were not searched"]

    async def _meant(self, query: str) -> Meant:
        if self._meaning is None or not query.strip():
            return Meant()
        if self._following is None:
            with suppress(TimeoutError, ModelError):  # what is not ready then is told of
                async with asyncio.timeout(PATIENCE):
                    await self._meaning.catch_up()
        return await self._meaning.meant(query)

    def _search(self, query: str, meant: Mapping[int, float], limit: int, outside: bool) -> list[Note]:
        def ask(connection: sqlite3.Connection) -> list[Note]:
            fits = {fit.passage: fit for fit in fitting(connection, words_of(connection, query), DEPTH)}
            ages = {number: -day for number, day in connection.execute(_DAYS, (_json({*fits, *meant}), int(outside)))}
            lists = {
                "words": {number: fit.share for number, fit in fits.items() if number in ages},
                "meaning": {number: 1.0 for number in meant if number in ages},
            }
            ranked = fuse(lists, ages)[:limit]
            notes = _notes(connection, [number for number, *_ in ranked])
            return [
                replace(
                    notes[number],
                    score=score,
                    why=why,
                    words=fits[number].words if number in fits else (),
                    near=meant.get(number, 0.0),
                )
                for number, score, why in ranked
            ]

        return self._index.ask(ask)

    def _latest(self, limit: int, outside: bool) -> list[Note]:
        def ask(connection: sqlite3.Connection) -> list[Note]:
            chosen = [row[0] for row in connection.execute(_LATEST, (int(outside), limit))]
            notes = _notes(connection, chosen)
            return [notes[number] for number in chosen]

        return self._index.ask(ask)


def _nobody() -> None:
    """What is new has no vectors to wait for."""


def _json(numbers: Iterable[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"


def _notes(connection: sqlite3.Connection, numbers: Iterable[int]) -> dict[int, Note]:
    rows = connection.execute(_NOTES, (_json(numbers),))
    return {
        number: Note(
            path=path,
            line=line,
            at=moment(at) if at is not None else None,
            day=moment(day),
            origin=origin,
            by=writer,
            outside=bool(outside),
            content=content,
        )
        for number, path, line, at, day, origin, writer, outside, content in rows
    }
