"""A tree of lines, drawn as text. Knows nothing of what the lines say."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

Strokes: TypeAlias = tuple[str, str, str, str]

LINES: Strokes = ("├ ", "└ ", "│ ", "  ")  #: before a branch, before the last one, and the margins below these two
ASCII: Strokes = ("|- ", "`- ", "|  ", "   ")


@dataclass(frozen=True, slots=True)
class Branch:
    """A line and what hangs on it."""

    text: str
    below: list["Branch"] = field(default_factory=list["Branch"])


def draw(branch: Branch, strokes: Strokes = LINES) -> list[str]:
    """Return a tree as lines."""
    return [branch.text, *_drawn(branch.below, strokes, "")]


def _drawn(branches: Sequence[Branch], strokes: Strokes, margin: str) -> Iterator[str]:
    between, final, down, blank = strokes
    for branch in branches:
        last = branch is branches[-1]
        yield f"{margin}{final if last else between}{branch.text}"
        yield from _drawn(branch.below, strokes, margin + (blank if last else down))
