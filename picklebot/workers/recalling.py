"""Looking into memory at the beginning of a turn, and what a person sees of that.

Promises that a turn never waits longer for it than `DEADLINE`, and that what was left out is told. Knows no index.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Mapping, Sequence

from picklebot.agent.conversation import Conversation
from picklebot.agent.prompt import CONTEXT_OPEN
from picklebot.agent.recall import FITTING, RECENT, Recalled, block, choose, headline, recalled_in, visible
from picklebot.agent.view import is_opening
from picklebot.clock import Clock
from picklebot.core.messages import Block
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.errors import PicklebotError
from picklebot.memory.base import Note, Recall
from picklebot.store.base import Sessions
from picklebot.workers.commands import Command
from picklebot.workers.transcripts import Transcripts

logger = logging.getLogger(__name__)

DEADLINE = 0.5  #: seconds that a turn waits for its notes
TOO_SLOW = "it was left out, because it took too long. search_memory can be used"
LISTED, SHOWN = 30, 200  #: files of notes that are listed, and characters of one note
LARGE = 100_000  #: weight of a conversation that is searched for a note in a thread


class Recollection:
    """Finds the notes that go with a message. `tokens` is how much they may take."""

    def __init__(self, memory: Recall, *, tokens: int, clock: Clock) -> None:
        self._memory = memory
        self._tokens = tokens
        self._clock = clock

    async def notes(self, content: str, conversation: Conversation) -> Block | None:
        """Return what is put before the model beside a message, if anything is."""
        try:
            recalled = await self._find_in_time(content, conversation)
        except (PicklebotError, OSError, sqlite3.Error) as exc:  # an index that is broken stops no conversation
            recalled = Recalled(problems=[f"it could not be looked at: {exc}"])
        for problem in recalled.problems:
            logger.warning("recall: %s", problem)
        return block(recalled)

    async def _find_in_time(self, content: str, conversation: Conversation) -> Recalled:
        finding = asyncio.create_task(self._find(content, conversation), name="recall")
        waiting = asyncio.create_task(self._clock.sleep(DEADLINE), name="recall: the deadline")
        try:
            await asyncio.wait({finding, waiting}, return_when=asyncio.FIRST_COMPLETED)
            return finding.result() if finding.done() else Recalled(problems=[TOO_SLOW])
        finally:
            finding.cancel()
            waiting.cancel()
            await asyncio.wait({finding, waiting})

    async def _find(self, content: str, conversation: Conversation) -> Recalled:
        found, latest = await asyncio.gather(
            self._memory.search(content, FITTING, outside=False), self._memory.latest(RECENT, outside=False)
        )
        if not found.notes and not latest:
            return Recalled(problems=found.problems)

        def chosen() -> Sequence[Note]:
            return choose(found.notes, latest, visible=visible(conversation.shown), tokens=self._tokens)

        notes = await asyncio.to_thread(chosen) if conversation.weight > LARGE else chosen()
        return Recalled(notes=notes, problems=found.problems)


class MemoryCommand:
    """Answers /memory."""

    def __init__(self, memory: Recall, *, sessions: Sessions, transcripts: Transcripts) -> None:
        self._memory = memory
        self._sessions = sessions
        self._transcripts = transcripts

    def table(self) -> Mapping[str, Command]:
        """Return the command by name."""
        return {
            "memory": Command("memory", "[WORDS]", "What was recalled here and why, and what is remembered.", self._run)
        }

    async def _run(self, source: Source, argument: str) -> str:
        return await self._search(argument) if argument else await self._standing(source)

    async def _search(self, words: str) -> str:
        found = await self._memory.search(words)
        lines = [f"- {headline(note)}: {shorten(note.content, SHOWN)}" for note in found.notes]
        return "\n".join([*(lines or [f"Nothing is remembered about {words!r}."]), *(f"({p})" for p in found.problems)])

    async def _standing(self, source: Source) -> str:
        paths = await self._memory.paths()
        more = f"\n- and {len(paths) - LISTED} more" if len(paths) > LISTED else ""
        listed = "\n".join(f"- {path}" for path in paths[:LISTED])
        files = f"Files of notes:\n{listed}{more}" if paths else "Nothing is remembered yet."
        return f"{await self._last(source)}\n\n{files}"

    async def _last(self, source: Source) -> str:
        session = await self._sessions.current(source)
        if session is None:
            return "Nothing was said here yet."
        conversation = await self._transcripts.get(session.id, begun=True)
        openings = (m for m in reversed(conversation.messages) if is_opening(m) and m.text.startswith(CONTEXT_OPEN))
        recalled = next((recalled_in(message) for message in openings), "")
        return (
            f"Recalled for the last message here:\n{recalled}"
            if recalled
            else "Nothing was recalled for the last message."
        )
