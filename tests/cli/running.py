"""Runs the real program, and fills a workspace with things to show."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from picklebot.clock import SystemClock
from picklebot.core.events import OutboundEvent
from picklebot.core.journal import PlannedCall, RecordedStep
from picklebot.core.messages import Message, ToolResult
from picklebot.core.replies import ModelReply, Usage
from picklebot.core.source import Source
from picklebot.store.base import Acceptance, Arrival, Conclusion, Turn
from picklebot.store.sqlite import SqliteStore, open_store

TOP = Path(__file__).resolve().parent.parent.parent
ANN = Source("telegram", ("42", "7"))
PROGRAM = (sys.executable, "-m", "picklebot")


def environment(**more: str) -> dict[str, str]:
    """Return the environment of a program that finds picklebot wherever it is started."""
    return {**os.environ, "PYTHONPATH": str(TOP), **more}


def run(workspace: Path | None, *arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    """Run picklebot to its end, with no terminal; `more` goes into its environment."""
    chosen = ("-w", str(workspace)) if workspace else ()
    return subprocess.run(
        [*PROGRAM, *chosen, *arguments],
        env=environment(**more),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def run_json(workspace: Path, *arguments: str) -> Any:
    """Run picklebot and return the one document on its stdout."""
    done = run(workspace, *arguments)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def database(workspace: Path) -> Path:
    """Return where the workspace's database is, its folder made."""
    folder = workspace / ".picklebot"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder / "picklebot.db"


async def fill(workspace: Path, use: Callable[[SqliteStore], Any]) -> Any:
    """Let `use` write to the workspace's store; return what it returns."""
    async with open_store(database(workspace)) as store:
        return await use(store)


async def accept(store: SqliteStore, content: str, *, key: str, source: Source = ANN) -> Acceptance:
    """Accept a message."""
    return await store.inbox.accept(
        Arrival(source=source, content=content, key=key, agent_id="echo", at=SystemClock().now()), limit=99
    )


async def begin(store: SqliteStore, content: str, *, key: str, source: Source = ANN) -> Turn:
    """Accept a message and open its turn."""
    accepted = await accept(store, content, key=key, source=source)
    turn = await store.inbox.begin(accepted.event.session_id, SystemClock().now() + timedelta(seconds=1))
    assert turn is not None
    return turn


async def conversation(store: SqliteStore) -> Turn:
    """Play one whole turn: a question, a tool call, its result, an answer on its way."""
    turn = await begin(store, "what is here?", key="k1")
    opening = Message.user("<context>\nTime: noon\n</context>", "what is here?")
    now = SystemClock().now()
    asking = _step(0, {"type": "tool_use", "id": "c1", "name": "glob", "input": {"pattern": "*"}}, stop="tool_use")
    planned = PlannedCall(call_id="c1", tool="glob", effect="pure", input={"pattern": "*"})
    await store.turns.record_step(turn, asking, [planned], opening=opening, at=now)
    await store.turns.start_call(turn, 0, "c1", at=now)
    result = ToolResult("c1", "notes.md\nplan.md")
    await store.turns.record_result(turn, 0, result, state="done", at=now)
    answering = _step(1, {"type": "text", "text": "Two files."}, stop="end_turn")
    replies = [
        OutboundEvent(
            session_id=turn.event.session_id, source=ANN, to=ANN, cause_id=turn.event.id, content="Two files."
        )
    ]
    said = [opening, asking.reply.message, Message.results([result]), answering.reply.message]
    await store.turns.finish(
        Conclusion(turn=turn, outcome="done", messages=said, outbound=replies, at=now, last=answering)
    )
    return turn


def _step(n: int, block: dict[str, Any], *, stop: str) -> RecordedStep:
    reply = ModelReply(
        message=Message("assistant", (block,)),
        stop_reason=stop,
        model="claude-test",
        request_id=f"req_{n}",
        usage=Usage(input_tokens=100, output_tokens=10, cache_read_tokens=5),
    )
    return RecordedStep(n=n, reply=reply, cost_usd=0.25)


def lines(text: str) -> Sequence[str]:
    """Return the lines of `text` by its line ends alone."""
    return text.rstrip("\n").split("\n")
