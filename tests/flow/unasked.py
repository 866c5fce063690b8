"""What tests of tasks, posts and heartbeats share."""

import json
import sqlite3
from collections.abc import Mapping
from typing import Any

from picklebot.app import App
from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.store.sqlite import SqliteStore
from tests.flow.jobs import until


def calls(tool: str, call_id: str = "c1", /, **given: object) -> Message:
    """Return a model's wish to call a tool."""
    return Message("assistant", ({"type": "tool_use", "id": call_id, "name": tool, "input": dict(given)},))


def results(request: ModelRequest) -> list[str]:
    """Return what the tools of the last step answered."""
    return [str(block["content"]) for block in request.messages[-1].blocks if block.get("type") == "tool_result"]


def told(request: ModelRequest) -> Mapping[str, Any]:
    """Return what the one tool of the last step answered, as JSON."""
    [answer] = results(request)
    found: Mapping[str, Any] = json.loads(answer)
    return found


async def due(app: App, number: int = 1) -> None:
    """Wait until a task stands on the timetable."""

    async def there() -> bool:
        return any(state.due is not None for state in await app.store.jobs.states([f"task:{number}"]))

    await until(there)


async def undo_the_end(store: SqliteStore) -> None:
    """Leave the one turn of a store as a crash does that comes after its call's effect and before the call's result."""

    def undo(connection: sqlite3.Connection) -> None:
        for statement in (
            "UPDATE calls SET state = 'started', result = NULL, finished_at = NULL",
            "DELETE FROM steps WHERE n = 1",
            "DELETE FROM transcript",
            "UPDATE turns SET state = 'running', finished_at = NULL",
            "UPDATE inbox SET state = 'open'",
            "UPDATE sessions SET messages = 0, turns = 0",
        ):
            connection.execute(statement)

    await store.tasks._database.complete(undo)  # no door leads here: only a crash does this
