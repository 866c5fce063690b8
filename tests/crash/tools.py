"""The tools of the crash workspace, one of each effect class. This file is copied to its `tools/`.

Each call leaves a line in a ledger outside the daemon's knowledge, on disk before the tool goes on. A trap (a file
called `<tool>.before` or `<tool>.after`) makes the tool kill its own process, once, before its effect or between the
effect and the return of its result. Knows the world by the folder beside the workspace.
"""

import json
import os
import signal
from pathlib import Path

from picklebot.tools.base import Effect, ToolContext
from picklebot.tools.function import tool

WORLD = Path(__file__).resolve().parent.parent.parent


def _effect(name: str, item: str, key: str) -> None:
    """Change the world."""
    _spring(f"{name}.before")
    line = json.dumps({"tool": name, "item": item, "key": key, "pid": os.getpid()}).encode() + b"\n"
    ledger = os.open(WORLD / "ledger", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        os.write(ledger, line)
        os.fsync(ledger)
    finally:
        os.close(ledger)
    _spring(f"{name}.after")


def _spring(trap: str) -> None:
    try:
        (WORLD / "traps" / trap).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _there(item: str) -> bool:
    try:
        lines = (WORLD / "ledger").read_text().splitlines()
    except FileNotFoundError:
        return False
    return any(entry["tool"] == "put" and entry["item"] == item for entry in map(json.loads, lines))


@tool
def pay(item: str, context: ToolContext) -> str:
    """Pay for an item. Paying twice costs twice."""
    _effect("pay", item, context.key)
    return f"paid {item}"


@tool(effect=Effect.PURE)
def look(item: str, context: ToolContext) -> str:
    """Look at an item."""
    _effect("look", item, context.key)
    return f"saw {item}"


@tool(effect=Effect.KEYED)
def post(item: str, context: ToolContext) -> str:
    """Post an item to a service that knows a request by its key."""
    _effect("post", item, context.key)
    return f"posted {item}"


def _found(item: str) -> str | None:
    return f"put {item}" if _there(item) else None


@tool(effect=Effect.RECONCILE, check=_found)
def put(item: str, context: ToolContext) -> str:
    """Put an item where it can be seen."""
    _effect("put", item, context.key)
    return f"put {item}"
