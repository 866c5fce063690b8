"""Finding files by name and lines by pattern, beneath a tree.

Promises sorted, bounded answers that never hold what the guard hides. A pattern of the caller's can take for ever,
so `grep` belongs in a process that can be killed. Knows no process.
"""

import fnmatch
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from picklebot.toolhost import guard
from picklebot.toolhost.files import MAX_READ, SHOWN, is_binary, load
from picklebot.toolhost.paths import Tree
from picklebot.toolhost.wire import Failure

MAX_PATHS = 1_000  #: shown by one glob
MAX_ENTRIES = 200_000  #: looked at by one call
_MAX_LINE = 300  # characters shown of a matching line
_MAX_CHOICES = 64  # patterns that one {a,b} pattern may stand for
_BRACES = re.compile(r"\{([^{}]*,[^{}]*)\}")


def glob(tree: Tree, given: Mapping[str, Any]) -> str:
    """Return the paths that match a pattern, a folder with a slash behind it."""
    pattern = given["pattern"]
    choices = [tree.parts(choice) for choice in _choices(pattern)]
    wanted = [[None if part == "**" else re.compile(fnmatch.translate(part)) for part in parts] for parts in choices]
    entries = list(itertools.islice(_walk(tree, ""), MAX_ENTRIES))
    found = sorted(
        f"{path}/" if kind == "folder" else path
        for path, kind in entries
        if any(_matches(path.split("/"), parts) for parts in wanted)
    )
    if not found:
        return f"Nothing matches {pattern!r}; '**/' stands for folders at any depth."
    lines = found[:MAX_PATHS]
    if len(found) > MAX_PATHS:
        lines.append(f"[{MAX_PATHS:,} of {len(found):,} shown; a narrower pattern shows the others]")
    if len(entries) == MAX_ENTRIES:
        lines.append(f"[only the first {MAX_ENTRIES:,} files were looked at]")
    return "\n".join(lines)


def grep(tree: Tree, given: Mapping[str, Any]) -> str:
    """Return the lines that match a regular expression, as `path:line: text`."""
    pattern, top = given["pattern"], given.get("path") or "."
    try:
        expression = re.compile(pattern)
    except (re.error, RecursionError, OverflowError) as exc:
        raise Failure(f"{pattern!r} is no regular expression: {exc}") from exc
    lines: list[str] = []
    size, skipped = 0, 0
    for path in _files(tree, top):
        content = _readable(tree, path, named=path == top)
        if content is None:
            skipped += 1
            continue
        for line in _matching(expression, path, content):
            size += len(line) + 1
            if size > SHOWN:
                return "\n".join([*lines, "[more lines match; a narrower pattern or path shows them]"])
            lines.append(line)
    notes = [f"[{skipped} files over {MAX_READ:,} bytes or not readable were skipped]"] if skipped else []
    return "\n".join([*(lines or [f"No line matches {pattern!r}."]), *notes])


def _files(tree: Tree, top: str) -> list[str]:
    parts = tree.parts(top)
    tree.check(parts, top, writing=False)
    walked = itertools.islice(_walk(tree, "/".join(parts), top), MAX_ENTRIES)
    return sorted(path for path, kind in walked if kind == "file") if _is_folder(tree, top) else [top]


def _is_folder(tree: Tree, path: str) -> bool:
    try:
        os.close(tree.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NONBLOCK))
    except Failure:
        return False  # reading it says what it is
    return True


def _readable(tree: Tree, path: str, *, named: bool) -> bytes | None:
    """Return a text's content, nothing for what is no text, and None for what cannot be read."""
    try:
        content = load(tree, path)
    except Failure:
        if named:
            raise
        return None
    return b"" if is_binary(content) else content


def _matching(expression: re.Pattern[str], path: str, content: bytes) -> Iterator[str]:
    for number, line in enumerate(content.decode("utf-8", "replace").split("\n"), start=1):
        text = line.removesuffix("\r")
        if expression.search(text):
            shown = text if len(text) <= _MAX_LINE else text[:_MAX_LINE] + "…"
            yield f"{path}:{number}: {shown}"


def _walk(tree: Tree, top: str, name: str | None = None) -> Iterator[tuple[str, str]]:
    """Yield what is below `top` with its kind: folder, file or other. Links are not followed."""
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        try:
            fd = tree.open(folder or ".", os.O_RDONLY | os.O_DIRECTORY)
        except Failure:
            if folder == top and name is not None:
                raise
            continue  # gone meanwhile, or not for us
        try:
            with os.scandir(fd) as entries:
                for entry in entries:
                    path = f"{folder}/{entry.name}" if folder else entry.name
                    if entry.name == ".git" or guard.refusal(path.split("/"), writing=False):
                        continue
                    kind = _kind(entry)
                    if kind == "folder":
                        waiting.append(path)
                    yield path, kind
        finally:
            os.close(fd)


def _kind(entry: "os.DirEntry[str]") -> str:
    if entry.is_dir(follow_symlinks=False):
        return "folder"
    return "file" if entry.is_file(follow_symlinks=False) else "other"


def _choices(pattern: str) -> list[str]:
    """Return the patterns that `a.{py,md}` stands for."""
    waiting, found = [pattern], list[str]()
    while waiting:
        choice = waiting.pop()
        if match := _BRACES.search(choice):
            waiting += [choice[: match.start()] + word + choice[match.end() :] for word in match[1].split(",")]
        else:
            found.append(choice)
        if len(waiting) + len(found) > _MAX_CHOICES:
            raise Failure(f"{pattern!r} stands for too many patterns; write fewer choices in braces")
    return found


def _matches(parts: Sequence[str], pattern: Sequence[re.Pattern[str] | None]) -> bool:
    """Return whether a path matches; None in the pattern stands for any number of folders."""
    # All positions in the pattern at once, so that no pattern takes more than its length times the path's.
    places = _past_stars({0}, pattern)
    for part in parts:
        stepped: set[int] = set()
        for place in places:
            if place < len(pattern):
                expected = pattern[place]
                if expected is None:
                    stepped.add(place)
                elif expected.match(part):
                    stepped.add(place + 1)
        places = _past_stars(stepped, pattern)
    return len(pattern) in places


def _past_stars(places: set[int], pattern: Sequence[re.Pattern[str] | None]) -> set[int]:
    reached = set(places)
    for place in sorted(places):
        at = place
        while at < len(pattern) and pattern[at] is None:
            at += 1
            reached.add(at)
    return reached
