"""What an agent schedules and posts in the very moment in which its turn is stopped."""

import asyncio
from collections.abc import Coroutine
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from picklebot.core.bus import EventBus
from picklebot.core.events import OutboundEvent
from picklebot.core.source import Source
from picklebot.jobs.task import Task
from picklebot.store.database import connect
from picklebot.store.sqlite import open_store
from picklebot.testing import FakeClock
from picklebot.tools.base import ToolContext
from picklebot.workers.places import Places
from picklebot.workers.posting import Posting
from picklebot.workers.tasks import TaskBook

ANN = Source("fake", ("ann",))
CALL = ToolContext(session_id="s", agent_id="echo", source=ANN, key="0:c1", cause_id="0" * 24, deliver=str(ANN))


class Watched(FakeClock):
    """Tells when it was last looked at."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = asyncio.Event()

    def now(self) -> datetime:
        self.seen.set()
        return super().now()


async def cut(work: Coroutine[Any, Any, object], path: Path, *, at: asyncio.Event) -> None:
    """Cancel `work` once it has come to `at`, while what it writes then is held up."""
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    working = asyncio.create_task(work)
    await at.wait()
    working.cancel()
    await asyncio.sleep(0)
    other.close()
    await asyncio.wait({working})
    assert working.cancelled()


async def test_a_task_that_is_written_down_is_begun_also_where_its_turn_was_stopped(tmp_path: Path) -> None:
    changed: list[str] = []

    async def consent(task: Task, context: ToolContext) -> str:
        changed.append("asked")
        return "asked"

    clock, path = Watched(), tmp_path / "picklebot.db"
    async with open_store(path) as store:
        book = TaskBook(
            rows=store.tasks,
            clock=clock,
            zone=UTC,
            is_owner=lambda source: True,
            consent=consent,
            changed=changed.append,
        )
        await cut(book.schedule("Ask about the tea.", {"every": "1m"}, CALL), path, at=clock.seen)
    assert changed == ["asked", "task:1"]


async def test_a_message_that_is_written_down_is_on_its_way_also_where_its_turn_was_stopped(tmp_path: Path) -> None:
    written, path = asyncio.Event(), tmp_path / "picklebot.db"

    def redact(text: str) -> str:  # the last thing before it is written down
        written.set()
        return text

    bus = EventBus()
    async with open_store(path) as store:
        places = Places(store.places, sources=list)
        posting = Posting(posts=store.posts, places=places, channels={}, bus=bus, clock=FakeClock(), redact=redact)
        with bus.subscribe(OutboundEvent) as rung:
            await cut(posting.post("psst", CALL), path, at=written)
            rung.close()
            assert [event.content async for event in rung] == ["psst"]
