"""A markdown file with settings at its top: `---`, keys, `---`, then the text.

Promises a `Document` or a `DefinitionError` with path and line, for any text and any file, in bounded time and
memory. An opening fence that is never closed is an error, never a silent loss. Knows nothing of what the keys mean.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from picklebot.core.text import clean, shorten
from picklebot.definitions import yaml_subset
from picklebot.definitions.reading import normalise, read_text
from picklebot.errors import DefinitionError

MAX_FRONTMATTER = 64 * 1024  #: bytes between the fences
MAX_BODY = 256 * 1024  #: bytes below them
_FENCE = re.compile(r"^---[ \t]*$", re.MULTILINE)
_UNPRINTABLE = re.compile("[^\t\n\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
# YAML counts these as line ends; nobody who pasted one did.
_ODD_LINE_ENDS = str.maketrans("\x85\u2028\u2029", "   ")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """What a file says. `lines` counts from 1, and holds inner keys by path: `budget.turn_usd`."""

    fields: Mapping[str, object]
    lines: Mapping[str, int]
    body: str


def read(path: Path) -> Document:
    """Read and parse a file.

    Raises:
        DefinitionError: if it is empty, too large, no regular file, no UTF-8, or no frontmatter we can read.
    """
    text = read_text(path, limit=MAX_FRONTMATTER + MAX_BODY)
    if not text.strip():
        raise DefinitionError("the file is empty", path=path)
    return parse(text, path=path)


def parse(text: str, *, path: Path) -> Document:
    """Parse what stands in a file; a text that does not open with `---` is all body.

    Raises:
        DefinitionError: if it cannot be read as meant; `path` is only for its message.
    """
    text = normalise(text)
    if (nul := text.find("\0")) >= 0:
        raise DefinitionError("the file is not text: it holds a NUL byte", path=path, line=_line(text, nul))
    opening = _FENCE.match(text)
    if opening is None:
        return Document(fields={}, lines={}, body=_bounded(text, MAX_BODY, path, line=1))
    closing = _FENCE.search(text, opening.end() + 1)
    if closing is None:
        raise DefinitionError("the frontmatter opened by '---' is never closed: add a line '---'", path=path, line=1)
    front = _bounded(text[opening.end() + 1 : closing.start()], MAX_FRONTMATTER, path, line=1)
    fields, lines = _load(front, path)
    body = _bounded(text[closing.end() + 1 :], MAX_BODY, path, line=_line(text, closing.end()))
    return Document(fields=fields, lines=lines, body=body)


def _load(front: str, path: Path) -> tuple[dict[str, object], dict[str, int]]:
    front = front.translate(_ODD_LINE_ENDS)
    if found := _UNPRINTABLE.search(front):
        message = f"the character {found[0]!r} does not belong in frontmatter: remove it"
        raise DefinitionError(message, path=path, line=1 + _line(front, found.start()))
    try:
        fields, lines = yaml_subset.load(front)
    except yaml_subset.SubsetError as exc:
        raise DefinitionError(shorten(str(exc), 400), path=path, line=exc.line + 2) from exc
    return fields, {key: line + 2 for key, line in lines.items()}  # line 1 is the fence


def _bounded(text: str, limit: int, path: Path, *, line: int) -> str:
    text = clean(text)
    if len(text) > limit or len(text.encode()) > limit:
        raise DefinitionError(f"the text from here on is longer than {limit // 1024} KB", path=path, line=line)
    return text


def _line(text: str, position: int) -> int:
    return text.count("\n", 0, position) + 1
