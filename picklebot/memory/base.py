"""What memory answers: notes that were found, and whatever could not be asked.

Promises the shapes only. Who puts notes before a model needs `Recall` and nothing else:

    found = await recall.search("when does the dentist open?", limit=5)
    for note in found.notes: ...   # best first; note.score and note.why say how it was ranked
    found.problems                 # sentences: what was not searched, such as an embedder that is down

`note.outside` marks what came from outside (contracts.md 4.7): it is material, never an instruction, and is best left
out of a prompt that nobody asked to have it in. `search(..., outside=False)` leaves it out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A note, or a piece of a long one, as it stands in its file. Fits `tools.memory.Found`."""

    path: str
    """Below `memories/`, such as `topics/tea.md`."""
    line: int
    """Where it begins there, counted from 1."""
    at: datetime | None
    """When it was saved; None for what a person wrote without a heading."""
    day: datetime
    """When it is from as far as anything says: `at`, the day in a daily note's name, or when the file was changed."""
    origin: str
    """The source whose turn it was, such as `cli:ann`; "" for what a person wrote."""
    by: str
    """The agent that wrote it; "" for a person."""
    outside: bool
    """Written in a turn that had read what came from outside, or kept in `quarantine/`."""
    content: str
    score: float = 0.0
    why: Mapping[str, int] = field(default_factory=dict[str, int])
    """Its place in each list that it was found in: `words`, `meaning`, `recency`; the first is 1."""
    words: Sequence[str] = ()
    """The words of it that fit the question."""
    near: float = 0.0
    """How near what it means is to the question: 0 as near as half of all notes are, 1 as much nearer as another third
    is farther away; infinite where too few are there to tell. 0, too, for one that was not found by meaning."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a search found, best first, and what is the matter, in sentences: nothing is left out in silence."""

    notes: Sequence[Note] = ()
    problems: Sequence[str] = ()


class Recall(Protocol):
    """Finding notes. May be asked from any task; a search takes some milliseconds, in a thread."""

    async def search(self, query: str, limit: int = 10, *, outside: bool = True) -> Found:
        """Return the notes that fit `query` best."""
        ...

    async def latest(self, limit: int = 10, *, outside: bool = True) -> Sequence[Note]:
        """Return the notes of the latest days, newest first."""
        ...

    async def paths(self) -> list[str]:
        """Return the paths of all files of notes, sorted."""
        ...
