"""What a turn has read that bears on what it may still do: private things, and things from outside.

Text from outside may be written to steer an agent, and private text must not leave by its hand. So a turn that bears
both marks needs the owner's word before it sends anything elsewhere (contracts.md 4.7). Marks only ever grow: within a
turn, in the conversation after it, and down to the turns that it begins. Pure; knows no tool.
"""

from collections.abc import Iterable
from typing import Literal, TypeAlias

#: `private`: files, notes, what a command printed. `outside`: the web, servers of tools, other people's messages.
Mark: TypeAlias = Literal["private", "outside"]
Marks: TypeAlias = frozenset[Mark]

NO_MARKS: Marks = frozenset()
BOTH: Marks = frozenset({"private", "outside"})


def to_words(marks: Iterable[Mark]) -> list[Mark]:
    """Return marks for JSON, in one order."""
    return sorted(marks)


def to_marks(words: Iterable[str]) -> Marks:
    """Read marks back. A word from a newer picklebot counts as both, because nobody here knows what it warns of."""
    found: set[Mark] = set()
    for word in words:
        match word:
            case "private" | "outside":
                found.add(word)
            case _:
                return BOTH
    return frozenset(found)
