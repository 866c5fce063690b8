"""Finds what other programs obey below the top of a workspace, such as the `.git` of a checkout in it.

Promises that no symbolic link is followed, not even one that is put there meanwhile, and an end: what lies deeper than
`DEPTH` folders, behind the first `FOLDERS` or in folders of packages is not found. Knows no sandbox.
"""

import os
from collections import deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from stat import S_ISDIR, S_ISLNK

from picklebot.toolhost import guard
from picklebot.toolhost.paths import Tree
from picklebot.toolhost.wire import Failure

DEPTH = 8
FOLDERS = 5_000
FOUND = 200
DULL = frozenset({"node_modules", "site-packages", "__pycache__", ".venv", "venv", ".tox", ".cache"})

Identity = tuple[int, int]  # of its device, and its own number


@dataclass(frozen=True)
class Entry:
    """What a folder holds. `kind`: folder, link or other."""

    name: str
    kind: str
    identity: Identity


def open_tree(root: str) -> Tree:
    """Return the folder at `root`, in which everything may be looked at and no link is followed."""
    return Tree(root, follow=False, refusal=_anything)


def entries(tree: Tree, path: str) -> Sequence[Entry]:
    """Return what the folder at `path` holds; nothing where it is gone, or not for us."""
    with suppress(Failure, OSError):
        fd = tree.open(path or ".", os.O_RDONLY | os.O_DIRECTORY)
        try:
            with os.scandir(fd) as found:
                return [_entry(each) for each in found]
        finally:
            os.close(fd)
    return []


def obeyed(root: str) -> Mapping[str, Identity]:
    """Return the paths below `root`, none of them at its top, of what other programs run or obey unasked."""
    found: dict[str, Identity] = {}
    tree = open_tree(root)
    try:
        waiting, looked = deque([""]), 0
        while waiting and looked < FOLDERS and len(found) < FOUND:
            folder = waiting.popleft()
            looked += 1
            for entry in entries(tree, folder):
                path = f"{folder}/{entry.name}" if folder else entry.name
                if entry.kind == "link" or (not folder and guard.refusal([entry.name], writing=True)):
                    continue
                if entry.name.casefold() in guard.TRUSTED:
                    found[path] = entry.identity
                elif entry.kind == "folder" and entry.name not in DULL and path.count("/") < DEPTH:
                    waiting.append(path)
    finally:
        tree.close()
    return found


def _entry(each: "os.DirEntry[str]") -> Entry:
    status = each.stat(follow_symlinks=False)  # all from one look: what it is may change until the next
    kind = "link" if S_ISLNK(status.st_mode) else "folder" if S_ISDIR(status.st_mode) else "other"
    return Entry(each.name, kind, (status.st_dev, status.st_ino))


def _anything(parts: Sequence[str], *, writing: bool) -> str | None:
    """Refuse nothing."""
    return None
