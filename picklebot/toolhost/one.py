"""One call, in a process of its own: read a request from stdin, print its answer, end.

Promises to end by itself at the request's time limit. Knows no other call.
"""

import json
import os
import signal
import sys
from collections.abc import Mapping
from typing import Any

from picklebot.toolhost import command, family, search, wire
from picklebot.toolhost.paths import Tree
from picklebot.toolhost.walls import Walls


def answer(tool: str, root: str, memory_mb: int, walls: Walls | None = None) -> None:
    """Serve the one request on stdin."""
    request = json.loads(_first_line(0))
    given: Mapping[str, Any] = request["input"]
    seconds: float = request["seconds"]
    try:
        if tool == "bash":
            output = command.run(root, given, seconds, control=0, memory_mb=memory_mb, walls=walls)
        else:
            # Set loose on somebody's regular expression, Python hears nothing: only the kernel's own default ends it.
            family.die_with_parent()
            signal.setitimer(signal.ITIMER_REAL, seconds)
            output = search.grep(Tree(root), given)
        line = wire.answer(request["id"], output=output)
    except wire.Failure as exc:
        line = wire.answer(request["id"], error=str(exc))
    sys.stdout.buffer.write(line)
    sys.stdout.buffer.flush()


def _first_line(fd: int) -> bytes:
    """Read a line and not a byte more than the pipe holds: the rest of stdin says whether we are still wanted."""
    line = b""
    while not line.endswith(b"\n"):
        chunk = os.read(fd, wire.MAX_REQUEST)
        if not chunk:
            sys.exit("no request")
        line += chunk
    return line
