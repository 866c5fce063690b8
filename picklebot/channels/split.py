"""A long reply in parts that a platform takes.

Promises that no part is longer than the limit, that nothing but white space at a cut is lost, and that a code block
cut in two is closed in the one part and opened again in the next. Knows no platform.
"""

import re
import unicodedata

_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})([^\n`]*)$", re.MULTILINE)
_JOINERS = {"\u200d", "\ufe0e", "\ufe0f"}  # what holds an emoji of several characters together
_LEAST = 64  #: characters: below this a limit leaves no room for closing and opening a code block


def split(text: str, limit: int | None) -> list[str]:
    """Return `text` in parts of at most `limit` characters; cut between paragraphs if possible, else lines, else words.

    None is no limit.
    """
    if limit is None or len(text) <= limit:
        return [text]
    if limit < _LEAST:
        return [text[start : start + limit] for start in range(0, len(text), limit)]
    parts: list[str] = []
    rest, opening = text, ""
    while (opening and len(opening) + 1 + len(rest) > limit) or len(rest) > limit:
        head = f"{opening}\n" if opening else ""
        room = limit - len(head)
        cut = _cut(rest, room)
        part = head + rest[:cut].rstrip("\n ")
        opening = _short(_open_fence(part), limit)
        if opening:
            closing = "\n" + _mark(opening)
            cut = _cut(rest, room - len(closing))
            part = head + rest[:cut].rstrip("\n ")
            opening = _short(_open_fence(part), limit)
            part += closing if opening else ""
        parts.append(part)
        rest = rest[cut:].lstrip("\n") if not opening else rest[cut:].removeprefix("\n")
    if rest.strip():
        parts.append(f"{opening}\n{rest}" if opening else rest)
    return parts


def units(text: str) -> int:
    """Return the length of `text` in UTF-16 code units, in which most platforms count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def pieces(text: str, limit: int) -> list[str]:
    """Return `text` in parts of at most `limit` UTF-16 code units."""
    step = limit
    while True:
        parts = split(text, step)
        if all(units(part) <= limit for part in parts):
            return parts
        step = step * 3 // 4


def _cut(text: str, room: int) -> int:
    """Return where to cut: after the last paragraph, line or word that fits, but not in the first third."""
    if len(text) <= room:
        return len(text)
    for mark in ("\n\n", "\n", " "):
        found = text.rfind(mark, room // 3, room)
        if found > 0:
            return found + len(mark)
    cut = room
    while cut > room // 2 and _holds(text, cut):
        cut -= 1
    return cut


def _holds(text: str, cut: int) -> bool:
    """Return whether a cut before `text[cut]` would take a character apart from what belongs to it."""
    after = text[cut]
    return after in _JOINERS or text[cut - 1] == "\u200d" or bool(unicodedata.combining(after)) or _tone(after)


def _tone(character: str) -> bool:
    return "\U0001f3fb" <= character <= "\U0001f3ff"  # a skin tone colours the emoji before it


def _short(opening: str, limit: int) -> str:
    """Return a line that opens a code block in at most a quarter of a part; "" where even its marks are longer."""
    if len(opening) > limit // 4:
        opening = _mark(opening)
    return opening if len(opening) <= limit // 4 else ""


def _mark(opening: str) -> str:
    """Return the backticks or tildes of a line that opens a code block."""
    line = opening.lstrip(" ")
    return line[: len(line) - len(line.lstrip(line[0]))]


def _open_fence(text: str) -> str:
    """Return the line that opened the code block in which `text` ends; "" if it ends in none."""
    opening, mark = "", ""
    for match in _FENCE.finditer(text):
        if not opening:
            opening, mark = match[0], match[1]
        elif match[1].startswith(mark) and not match[2].strip():
            opening, mark = "", ""
    return opening
