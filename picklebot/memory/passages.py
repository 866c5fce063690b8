"""The pieces of a file that are found: a note, or where it is long a part of it.

Promises pieces of at most `LONGEST` characters that together hold all of the text, cut where a reader would: before a
heading, between paragraphs, between lines. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime

from picklebot.memory.entries import Entry, parse

LONGEST = 1_500
_BREAKS = tuple(re.compile(each) for each in (r"\n(?=#{1,6} )", r"\n[ \t]*\n", r"\n", r"\s"))
_DAY = re.compile(r"daily-notes/(\d{4}-\d{2}-\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A piece of a note, with the note's provenance. `day` is when it is from, as far as the file says."""

    line: int
    at: datetime | None
    day: datetime | None
    origin: str
    by: str
    outside: bool
    content: str


def passages(path: str, text: str) -> list[Passage]:
    """Return the pieces of a file, in its order."""
    written = _written(path)
    return [piece for entry in parse(path, text) for piece in _pieces(entry, written)]


def _pieces(entry: Entry, written: datetime | None) -> Iterator[Passage]:
    for line, content in _cut(entry.content, entry.line):
        yield Passage(
            line=line,
            at=entry.at,
            day=entry.at or written,
            origin=entry.origin,
            by=entry.by,
            outside=entry.outside,
            content=content,
        )


def _cut(text: str, line: int) -> Iterator[tuple[int, str]]:
    begin = 0
    while len(text) - begin > LONGEST:
        end = _end(text, begin)
        if piece := text[begin:end].strip():
            yield line, piece
        line += text.count("\n", begin, end)
        begin = end
    if piece := text[begin:].strip():
        yield line + text[begin : begin + text[begin:].index(piece[0])].count("\n"), piece


def _end(text: str, begin: int) -> int:
    """Return where the piece that begins at `begin` is best cut: at the last break of the best kind in its second half."""
    last = begin + LONGEST
    for pattern in _BREAKS:
        places = [match.end() for match in pattern.finditer(text, begin + LONGEST // 3, last)]
        if places:
            return places[-1]
    return last


def _written(path: str) -> datetime | None:
    """Return the day that a daily note is named for."""
    if (match := _DAY.match(path)) is None:
        return None
    try:
        day = date.fromisoformat(match[1])
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
