"""Reading, writing and editing text files beneath a tree.

Promises regular files only, bounded sizes, and writes that are whole or absent. An edit takes effect on exactly what
it read, or not at all. Knows no search and no shell.
"""

import os
import stat
import threading
from collections.abc import Mapping
from typing import Any

from picklebot.toolhost.atomic import replace_file
from picklebot.toolhost.contents import (
    MAX_WRITE,
    READING,
    as_in,
    content_of,
    edited,
    read_content,
    status_of,
    version_of,
)
from picklebot.toolhost.paths import Tree, explain
from picklebot.toolhost.wire import Failure

MAX_READ = 10_000_000  #: bytes of a file
SHOWN = 29_000  #: characters of one answer, within what the model is shown of any tool
_SAMPLE = 8192  # a file with a NUL this early is no text

_writing = threading.Lock()  # parallel edits of one file by this host must not lose one another


def load(tree: Tree, path: str, *, limit: int = MAX_READ) -> bytes:
    """Return a regular file's content.

    Raises:
        Failure: if it is something else, or longer than `limit`.
    """
    fd = tree.open(path, READING)
    try:
        return read_content(fd, path, limit=limit)
    except OSError as exc:
        raise explain(exc, path) from exc
    finally:
        os.close(fd)


def is_binary(content: bytes) -> bool:
    """Return whether this is something other than text."""
    return b"\0" in content[:_SAMPLE]


def read_file(tree: Tree, given: Mapping[str, Any]) -> str:
    """Return a file's text, or some of its lines, with a header line where that is not all of it."""
    path, offset, limit = given["path"], given.get("offset") or 1, given.get("limit")
    content = load(tree, path)
    if is_binary(content):
        return f"[{path} is a binary file of {len(content):,} bytes]"
    lines = content.decode("utf-8-sig", "replace").split("\n")
    if lines[-1] == "":
        lines.pop()  # the end of the last line, not a line
    if not lines:
        return f"[{path} is empty]"
    if offset > len(lines):
        raise Failure(f"{path!r} has {len(lines)} lines; there is no line {offset}")
    wanted = lines[offset - 1 : None if limit is None else offset - 1 + limit]
    shown = _that_fit(wanted)
    last = offset + len(shown) - 1
    if len(shown) == len(lines):
        return "\n".join(shown)
    more = f"; the next line is offset {last + 1}" if last < len(lines) else ""
    return "\n".join([f"[lines {offset} to {last} of {len(lines)}{more}]", *shown])


def write_file(tree: Tree, given: Mapping[str, Any]) -> str:
    """Make a file hold exactly this content."""
    path, content = given["path"], given["content"].encode()
    if len(content) > MAX_WRITE:
        raise Failure(f"the content is {len(content):,} bytes; at most {MAX_WRITE:,} are written")
    folder, name = tree.open_folder(path, create=True)
    try:
        with _writing:
            before = status_of(folder, name, path)
            replace_file(folder, name, content, mode=stat.S_IMODE(before.st_mode) & 0o777 if before else None)
    except OSError as exc:
        raise explain(exc, path) from exc
    finally:
        os.close(folder)
    return wrote(path, given["content"])


def wrote(path: str, content: str) -> str:
    """Return the words for a finished write."""
    return f"Wrote {len(content):,} characters to {path}."


def edit_file(tree: Tree, given: Mapping[str, Any]) -> str:
    """Replace the one place where a file says `old`."""
    path = given["path"]
    folder, name = tree.open_folder(path, create=False)
    try:
        with _writing:
            before = status_of(folder, name, path)
            if before is None:
                raise Failure(f"{path!r} does not exist; write_file makes it")
            after = edited(content_of(folder, name, path), given["old"], given["new"], path)
            now = status_of(folder, name, path)
            if now is None or version_of(before) != version_of(now):
                raise Failure(f"{path!r} was changed by somebody else just now; read it again")
            replace_file(folder, name, after, mode=stat.S_IMODE(before.st_mode) & 0o777)
    except OSError as exc:
        raise explain(exc, path) from exc
    finally:
        os.close(folder)
    return f"Edited {path}."


def check_write(tree: Tree, given: Mapping[str, Any]) -> str:
    """Say whether a write is there: `done`, or `not done`. A file that cannot be read holds something else."""
    try:
        content = load(tree, given["path"])
    except Failure:
        return "not done"
    return "done" if content == given["content"].encode() else "not done"


def check_edit(tree: Tree, given: Mapping[str, Any]) -> str:
    """Say whether an edit is there: `done`, `not done`, or `unknown`."""
    content = load(tree, given["path"])
    old, new = as_in(content, given["old"]), as_in(content, given["new"])
    if old not in content:
        return "done" if new in content else "unknown"
    # Where the new text holds the old one, both are there before and after.
    return "not done" if content.count(old) == 1 and (old not in new or new not in content) else "unknown"


def _that_fit(lines: list[str]) -> list[str]:
    """Return the first of `lines` that can be shown: at least one, shortened if it must be."""
    size = 0
    for count, line in enumerate(lines):
        size += len(line) + 1
        if size > SHOWN:
            return lines[:count] or [f"{line[:SHOWN]} [this line has {len(line):,} characters; cut here]"]
    return lines
