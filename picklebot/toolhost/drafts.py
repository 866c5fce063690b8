"""What a refused write would have done to a file that agents may propose to change.

Promises the file's real place below the root, as the kernel resolves it, and what it holds now and would hold then.
Changes nothing. Knows nothing of who decides.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from picklebot.toolhost import guard
from picklebot.toolhost.contents import content_of, edited, status_of
from picklebot.toolhost.paths import Tree, explain
from picklebot.toolhost.wire import Failure

_FOLDER: int = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY


def draft_write(tree: Tree, given: Mapping[str, Any]) -> str:
    """Return what a write would do, as JSON `{path, before, after}`; "" if nobody may propose that."""
    return _draft(tree, given["path"], lambda before: given["content"].encode())


def draft_edit(tree: Tree, given: Mapping[str, Any]) -> str:
    """Return what an edit would do, as JSON `{path, before, after}`; "" if nobody may propose that."""
    path = given["path"]

    def after(before: bytes | None) -> bytes:
        if before is None:
            raise Failure(f"{path!r} does not exist; propose the whole file with write_file")
        return edited(before, given["old"], given["new"], path)

    return _draft(tree, path, after)


def _draft(tree: Tree, path: str, change: Callable[[bytes | None], bytes]) -> str:
    *above, name = tree.parts(path) or [""]
    if name in {"", ".."}:
        raise Failure(f"{path!r} names no file")
    folder, there = _nearest(tree, above)
    try:
        missing = above[there:]
        if ".." in missing:
            raise Failure(f"{path!r} goes through '..'; write it without")
        place = [*tree.real(folder, above[:there]), *missing, name]
        if not guard.may_propose(place):
            return ""
        before = None if missing or status_of(folder, name, path) is None else content_of(folder, name, path)
    except OSError as exc:
        raise explain(exc, path) from exc
    finally:
        os.close(folder)
    after = change(before)
    try:
        told = {"path": "/".join(place), "before": None if before is None else before.decode(), "after": after.decode()}
    except UnicodeDecodeError:
        raise Failure(f"{path!r} is no UTF-8 text") from None
    return json.dumps(told)


def _nearest(tree: Tree, above: Sequence[str]) -> tuple[int, int]:
    """Return a descriptor of the deepest folder of `above` that is there, and how many of its parts that are."""
    there = len(above)
    while True:
        try:
            return tree.open("/".join(above[:there]) or ".", _FOLDER), there
        except Failure as exc:
            if not there or not isinstance(exc.__cause__, FileNotFoundError):
                raise
        there -= 1
