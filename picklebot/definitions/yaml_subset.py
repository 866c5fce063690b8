"""The part of YAML that people mean when they write frontmatter.

Promises a mapping of text, numbers, true, false, null, lists and mappings, and the line of every key, or a
`SubsetError` that names a line. Anchors, aliases, tags and deep nesting are refused, so a small text stays small.
A scalar becomes a number only where nothing is lost by it: `0.5` does; `010`, `1.10`, `12:30`, `2026-01-01`, `on`
and `no` stay text. A line that YAML cannot read but a person can (`schedule: */15 * * * *`) is read as if its value
stood in quotes. Knows nothing of files and of what the keys mean.
"""

import re
from collections.abc import Iterator
from typing import Any

import yaml

from picklebot.core.text import clean

MAX_DEPTH = 16
_MAX_MENDED = 16  # lines put in quotes for the user; each costs a parse
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C one is missing where PyYAML was built bare

_CONSTANTS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,17}")
_DECIMAL = re.compile(r"-?[0-9]{1,15}\.[0-9]{1,15}")

_LINE = re.compile(r"(?P<start>\s*(?:- +)*(?:[\w.-][\w .-]*?:[ \t]+|(?<=- )))(?P<value>\S.*)")
_COMMENT = re.compile(r"(?<!\s)\s+#.*$")  # the look behind keeps long runs of space cheap
# What makes a person's line unreadable: a special first character, text after a quoted part or a list, a second colon.
_UNQUOTED = re.compile(
    r"""[*@%`] | \{\{ | (?:"(?:[^"\\]|\\.)*" | '(?:[^']|'')*' | \[[^\[\]]*\]) \s* [^\s#] | [^\[\{|>&!'"] .* :(?:\s|$)""",
    re.VERBOSE,
)


class SubsetError(Exception):
    """The text is not our YAML. `line` counts from 0; `mendable` are lines that quotes might save."""

    def __init__(self, message: str, *, line: int, mendable: tuple[int, ...] = ()) -> None:
        super().__init__(message)
        self.line = line
        self.mendable = mendable


def snake(key: str) -> str:
    """Return `allowed-tools`, `allowedTools` and `Allowed_Tools` all as `allowed_tools`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key.strip()).replace("-", "_").lower()


def load(text: str) -> tuple[dict[str, object], dict[str, int]]:
    """Return the mapping in `text`, its top keys in snake case, and the line (from 0) of each key.

    Keys inside other keys are found in the lines under their path: `budget.turn_usd`.

    Raises:
        SubsetError: if a person would have to guess as well.
    """
    lines = text.split("\n")
    mended: set[int] = set()
    while True:
        try:
            return _Builder("\n".join(lines)).build()
        except SubsetError as exc:
            if len(mended) == _MAX_MENDED:
                raise
            number = next((n for n in exc.mendable if n not in mended and _quote(lines, n)), None)
            if number is None:
                raise
            mended.add(number)


def _quote(lines: list[str], number: int) -> bool:
    """Put the value of one line, with the lines that continue it, in quotes; return whether that made sense."""
    match = _LINE.match(lines[number].rstrip()) if number < len(lines) else None
    if match is None or not _UNQUOTED.match(match["value"]):
        return False
    value = _COMMENT.sub("", match["value"])
    for after in range(number + 1, len(lines)):
        line = lines[after]
        if not line.strip() or _indent(line) <= _indent(lines[number]) or _LINE.match(line):
            break
        value += " " + _COMMENT.sub("", line).strip()
        lines[after] = ""
    lines[number] = match["start"] + "'" + value.replace("'", "''") + "'"
    return True


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


class _Builder:
    """One pass over the parser's events: no composer and no constructor, so nothing can be expanded or run."""

    def __init__(self, text: str) -> None:
        self._lines: dict[str, int] = {}
        self._last = text.count("\n")
        self._events: Iterator[Any] = yaml.parse(text, Loader=_LOADER)

    def build(self) -> tuple[dict[str, object], dict[str, int]]:
        try:
            return self._document(), self._lines
        except yaml.MarkedYAMLError as exc:
            raise self._refused(exc) from exc
        except yaml.YAMLError as exc:
            raise SubsetError(f"this cannot be read as YAML: {exc}", line=0) from exc

    def _document(self) -> dict[str, object]:
        next(self._events)  # the start of the stream
        if isinstance(next(self._events), yaml.StreamEndEvent):
            return {}
        root = next(self._events)
        if not isinstance(root, yaml.MappingStartEvent):
            raise SubsetError("here stand lines of the form 'key: value'", line=root.start_mark.line)
        found = self._mapping(root, "", 1)
        next(self._events)  # the end of the document
        if not isinstance(after := next(self._events), yaml.StreamEndEvent):
            raise SubsetError("the frontmatter ends here, but more follows", line=after.start_mark.line)
        return found

    def _mapping(self, start: Any, path: str, depth: int) -> dict[str, object]:
        self._check(start, depth)
        found: dict[str, object] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line: int = event.start_mark.line
            if not isinstance(event, yaml.ScalarEvent):
                raise SubsetError("a key must be one word", line=line, mendable=(line,))
            written = str(self._scalar(event, resolve=False))
            key = written if path else snake(written)
            if key in found:
                raise SubsetError(f"{written!r} stands here twice: keep one of them", line=line)
            self._lines.setdefault(path + snake(written), line)
            found[key] = self._value(next(self._events), f"{path}{snake(written)}.", depth)
        return found

    def _value(self, event: Any, path: str, depth: int) -> object:
        line: int = event.start_mark.line
        if isinstance(event, yaml.AliasEvent):
            raise SubsetError("'*' starts an alias, which is not read here: use quotes", line=line, mendable=(line,))
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, resolve=True)
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(event, path, depth + 1)
        self._check(event, depth + 1)
        items: list[object] = []
        while not isinstance(item := next(self._events), yaml.SequenceEndEvent):
            items.append(self._value(item, path, depth + 1))
        return items

    def _scalar(self, event: Any, *, resolve: bool) -> object:
        self._check(event, 0)
        text = clean(event.value)
        if not resolve or not event.implicit[0]:  # it stood in quotes, or is a key
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) and repr(float(text)) == text:
            return float(text)
        return text

    def _check(self, event: Any, depth: int) -> None:
        line: int = event.start_mark.line
        if depth > MAX_DEPTH:
            raise SubsetError(f"this is nested more than {MAX_DEPTH} deep", line=line)
        if event.anchor is not None or event.tag is not None:
            raise SubsetError("anchors (&name) and tags (!name) are not read here: use quotes", line=line)

    def _refused(self, exc: yaml.MarkedYAMLError) -> SubsetError:
        marks = [mark.line for mark in (exc.problem_mark, exc.context_mark) if mark is not None]
        problem, context = str(exc.problem or "it makes no sense"), str(exc.context)
        # For these the parser noticed late; the second mark is where the trouble began.
        late = context.startswith(
            ("while scanning a quoted scalar", "while scanning a simple key", "while parsing a flow")
        )
        line = min(marks[-1] if late else marks[0], self._last) if marks else 0
        if "nesting depth" in problem:  # libyaml has a limit too, and reads ahead
            return SubsetError(f"this is nested more than {MAX_DEPTH} deep", line=line)
        if "tab character" in problem or "'\\t'" in problem:
            return SubsetError("this line is indented with a tab: use spaces", line=line)
        if "quoted scalar" in context and "end of stream" in problem:
            return SubsetError("a quote is opened here and never closed", line=line)
        message = f"this cannot be read as YAML ({problem}): put the value in quotes, or mend the indentation"
        return SubsetError(message, line=line, mendable=tuple(marks))
