"""A file of notes, and the notes in it.

    ## 2026-11-21 10:00 UTC (from cli:ann)

    She prefers tea.

Promises that what `render` writes, `parse` reads back, and that no note can pass for another's: a line of its text
that looks like a heading is marked. Pure: knows no files.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_HEADING = re.compile(r"## ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}) UTC(?: \(from (.*)\))?")
_MARKED = re.compile(rf"^(\\*{_HEADING.pattern})$", re.MULTILINE)
_UNMARKED = re.compile(rf"^\\(\\*{_HEADING.pattern})$", re.MULTILINE)
_FORMAT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A note. `at` is None and `origin` empty for what a person wrote above the first heading."""

    path: str
    at: datetime | None
    origin: str
    content: str


def render(entry: Entry) -> str:
    """Return the note as it stands in its file."""
    at = f"{entry.at.astimezone(UTC):{_FORMAT}} UTC" if entry.at else ""
    origin = f" (from {' '.join(entry.origin.split())})" if entry.origin else ""
    return f"## {at}{origin}\n\n{_MARKED.sub(_mark, entry.content)}\n"


def parse(path: str, text: str) -> list[Entry]:
    """Return the notes of a file, in its order."""
    entries: list[Entry] = []
    at: datetime | None = None
    origin = ""
    lines: list[str] = []

    def close() -> None:
        content = _UNMARKED.sub(r"\1", "\n".join(lines)).strip()
        if content:
            entries.append(Entry(path=path, at=at, origin=origin, content=content))

    for line in text.replace("\r\n", "\n").split("\n"):
        moment = _moment(heading[1]) if (heading := _HEADING.fullmatch(line)) else None
        if heading is None or moment is None:
            lines.append(line)
            continue
        close()
        at, origin, lines = moment, heading[2] or "", []
    close()
    return entries


def _mark(match: re.Match[str]) -> str:
    return f"\\{match[1]}"


def _moment(text: str) -> datetime | None:
    """Return the time of a heading; None where a person wrote one that there is not."""
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
