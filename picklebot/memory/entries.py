"""A file of notes, and the notes in it.

    ## 2026-11-21 10:00 UTC (from cli:ann by pickle)

    She prefers tea.

Promises that what `render` writes, `parse` reads back, and that no note can pass for another's: a line of its text
that looks like a heading is marked. Pure: knows no files.
"""

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime

QUARANTINE = "quarantine/"  #: below it stands what came from outside, where every tool and every reader sees it

_HEADING = re.compile(
    r"## ([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}) UTC"
    r"(?: \(from (.*?)(?: by ([A-Za-z0-9][A-Za-z0-9_-]{0,63}))?(, outside)?\))?"
)
_MARKED = re.compile(rf"^(\\*{_HEADING.pattern})$", re.MULTILINE)
_UNMARKED = re.compile(rf"^\\(\\*{_HEADING.pattern})$", re.MULTILINE)
_FORMAT = "%Y-%m-%d %H:%M"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A note. `at` is None and `origin` empty for what a person wrote above the first heading.

    `origin` is the source whose turn it was, `by` the agent that wrote, empty where a person did. `outside` says that
    the turn had read what came from outside: the note is material to judge, never an instruction.
    """

    path: str
    at: datetime | None
    origin: str
    content: str
    by: str = ""
    outside: bool = False
    line: int = field(default=1, compare=False)
    """Where its text begins, counted from 1."""


def render(entry: Entry) -> str:
    """Return the note as it stands in its file."""
    at = f"{entry.at.astimezone(UTC):{_FORMAT}} UTC" if entry.at else ""
    by = f" by {entry.by}" if entry.by else ""
    outside = ", outside" if entry.outside else ""
    origin = f" (from {' '.join(entry.origin.split())}{by}{outside})" if entry.origin else ""
    return f"## {at}{origin}\n\n{_MARKED.sub(_mark, entry.content)}\n"


def parse(path: str, text: str) -> list[Entry]:
    """Return the notes of a file, in its order."""
    entries: list[Entry] = []
    kept_apart = path.startswith(QUARANTINE)
    heading: re.Match[str] | None = None
    at: datetime | None = None
    lines: list[str] = []
    begins = 1

    def close() -> None:
        content = _UNMARKED.sub(r"\1", "\n".join(lines))
        if bare := content.strip():
            _, origin, by, outside = heading.groups() if heading is not None else ("", "", "", "")
            entries.append(
                Entry(
                    path=path,
                    at=at,
                    origin=origin or "",
                    by=by or "",
                    outside=kept_apart or bool(outside),
                    content=bare,
                    line=begins + content[: len(content) - len(content.lstrip())].count("\n"),
                )
            )

    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        found = _HEADING.fullmatch(line) if line.startswith("## ") else None
        moment = _moment(found[1]) if found else None
        if found is None or moment is None:
            lines.append(line)
            continue
        close()
        heading, at, lines, begins = found, moment, [], number + 1
    close()
    return entries


def guarded(text: str, *, known: str = "") -> str:
    """Return a text that goes into a file as it is, without headings but those that stand in `known`."""
    return _MARKED.sub(lambda match: match[0] if match[0] in known else _mark(match), text)


def unmarked(text: str) -> str:
    """Return a file's text with its notes no longer marked as from outside."""
    lines = (line.replace(", outside)", ")") if _HEADING.fullmatch(line) else line for line in text.split("\n"))
    return "\n".join(lines)


def _mark(match: re.Match[str]) -> str:
    return f"\\{match[1]}"


def _moment(text: str) -> datetime | None:
    """Return the time of a heading; None where a person wrote one that there is not."""
    try:
        return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
