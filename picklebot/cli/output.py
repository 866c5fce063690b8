"""What commands print: tables, lines and JSON documents on stdout, remarks on stderr.

Promises that nothing printed can steer a terminal, that no character stops the program, and that colour appears on
terminals only and not where NO_COLOR forbids it. Knows no command.
"""

import json
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import TextIO

_GAP = "  "
# Controls, line separators, marks that turn text round, and lone surrogates.
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufeff]")
_UNPRINTABLE_IN_TEXT = re.compile(_UNPRINTABLE.pattern.replace(r"\x00-\x1f", r"\x00-\x08\x0b-\x1f"))


def one_line(text: str) -> str:
    """Return `text` with everything escaped that would break the line or move the cursor."""
    return _UNPRINTABLE.sub(_escaped, text)


def many_lines(text: str) -> str:
    """Return `text` with its line ends and tabs kept, and everything else escaped that would move the cursor."""
    return _UNPRINTABLE_IN_TEXT.sub(_escaped, text)


def say(text: str = "", *, stream: TextIO | None = None) -> None:
    """Print a line at once; what the stream's encoding lacks is written as an escape."""
    target = sys.stdout if stream is None else stream
    encoding = target.encoding or "utf-8"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=target, flush=True)


def remark(text: str) -> None:
    """Print a line for people on stderr, where it is in no program's way."""
    say(text, stream=sys.stderr)


def print_json(value: object, *, indent: int | None = 2) -> None:
    """Print one JSON document."""
    say(json.dumps(value, ensure_ascii=not speaks("…"), indent=indent))


def print_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows under their header, plainly aligned; on a terminal the last column is cut to fit."""
    table = [[one_line(cell) for cell in row] for row in rows]
    widths = [max(_width(row[n]) for row in [list(header), *table]) for n in range(len(header))]
    say(bold(_aligned(header, widths)))
    room = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    for row in table:
        line = _aligned(row, widths)
        say(line if room is None else _cut(line, room))


def bold(text: str) -> str:
    """Return `text` as a terminal shows it in bold, where there is one that may."""
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else text


def speaks(text: str) -> bool:
    """Return whether stdout's encoding can say `text`."""
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        return False
    return True


def local(moment: datetime, zone: tzinfo) -> str:
    """Return a moment as the clock on the wall there showed it."""
    return f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def counted(number: int, noun: str) -> str:
    """Return `1 reply`, `2 replies`."""
    if number == 1:
        return f"1 {noun}"
    return f"{number:,} {noun.removesuffix('y')}ies" if re.search("[^aeiou]y$", noun) else f"{number:,} {noun}s"


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape", "surrogatepass").decode("ascii")


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = [cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True)]
    return _GAP.join(padded).rstrip()


def _width(text: str) -> int:
    return len(text) if text.isascii() else sum(map(_columns, text))


def _columns(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _cut(line: str, room: int) -> str:
    if _width(line) <= room:
        return line
    used, kept = 0, 0
    for character in line:
        used += _columns(character)
        if used > room - 1:
            break
        kept += 1
    return line[:kept] + "…"
