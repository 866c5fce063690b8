"""The main loop of the tool process: a request a line, each answered from its own thread.

Promises one answer for each request, in whatever order they are done, and to end, with all it started, when its stdin
does. Knows nothing of who asks.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from picklebot.toolhost import drafts, family, files, search, wire
from picklebot.toolhost.apart import Apart, Children
from picklebot.toolhost.paths import Tree
from picklebot.toolhost.walls import Walls

Request: TypeAlias = Mapping[str, Any]

HERE: Mapping[str, Callable[[Tree, Mapping[str, Any]], str]] = {
    "read_file": files.read_file,
    "write_file": files.write_file,
    "edit_file": files.edit_file,
    "check_write": files.check_write,
    "check_edit": files.check_edit,
    "draft_write": drafts.draft_write,
    "draft_edit": drafts.draft_edit,
    "glob": search.glob,
}
APART = frozenset({"bash", "grep"})  #: run the caller's own code, so each in a process that can be killed
_LAST_WORDS = 1.0  # seconds for commands to end once nobody listens


class Host:
    """Serves one root."""

    def __init__(self, root: str, memory_mb: int, walls: Walls | None = None) -> None:
        self._walls = ["", walls.to_json()] if walls else []
        self._root = root
        self._memory_mb = memory_mb
        self._tree = Tree(root)
        self._children = Children()
        self._calls: dict[int, Apart] = {}
        self._speaking = threading.Lock()

    def take(self, request: Request) -> None:
        """Begin what a line asks for."""
        if "cancel" in request:
            if call := self._calls.get(request["cancel"]):
                call.cancel()
            return
        call_id, tool = request["id"], request["tool"]
        if tool in APART:
            main = str(sys.modules["__main__"].__file__)
            argv = [sys.executable, "-I", "-S", main, tool, self._root, str(self._memory_mb), *self._walls]
            self._calls[call_id] = Apart(self._children, argv, request)
        threading.Thread(target=self._answer, args=(request,), name=f"{tool} {call_id}", daemon=True).start()

    def end(self) -> None:
        """Cancel everything, and wait a moment for it."""
        for call in list(self._calls.values()):
            call.cancel()
        deadline = time.monotonic() + _LAST_WORDS
        for thread in threading.enumerate():
            if thread.daemon:
                thread.join(max(deadline - time.monotonic(), 0))

    def _answer(self, request: Request) -> None:
        call_id = request["id"]
        line = wire.answer(call_id, error="the tool crashed; the log has its traceback")
        try:
            line = wire.answer(call_id, output=self._run(request))
        except wire.Failure as exc:
            line = wire.answer(call_id, error=str(exc))
        except OSError as exc:
            line = wire.answer(call_id, error=f"the system refused: {exc.strerror}")
        finally:  # also after a bug, whose traceback goes to stderr: somebody waits for an answer
            self._calls.pop(call_id, None)
            with self._speaking:
                sys.stdout.buffer.write(line)
                sys.stdout.buffer.flush()

    def _run(self, request: Request) -> str:
        tool, given = request["tool"], request["input"]
        wire.check_text(given)
        if call := self._calls.get(request["id"]):
            return call.run()
        if tool not in HERE:
            raise wire.Failure(f"the tool process knows no {tool!r}")
        return HERE[tool](self._tree, given)


def serve(root: str, memory_mb: int, walls: Walls | None = None) -> None:
    """Answer requests from stdin until it ends."""
    family.adopt_orphans()
    host = Host(root, memory_mb, walls)
    for line in iter(lambda: sys.stdin.buffer.readline(wire.MAX_REQUEST + 1), b""):
        if not line.endswith(b"\n"):
            break
        host.take(json.loads(line))
    host.end()
    if walls:
        walls.fall()
    os._exit(0)  # threads that still wait for something must not hold us
