"""Killed in the middle of making a conversation shorter: nothing is lost, done twice or done by half."""

import asyncio
import json
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Self

import pytest

from picklebot.core.messages import Message
from picklebot.testing.faults import Fault
from picklebot.testing.messages_api import MessagesApi
from tests.crash.daemons import Start
from tests.crash.moments import Aim, MomentKind
from tests.crash.promises import KILLED
from tests.crash.world import World
from tests.flow.clerk import Clerk, part_of, saved

pytestmark = pytest.mark.asyncio(loop_scope="package")

FACT = "The code of the shed is 4711-a"
FILLER = "And then we talked about the weather of the north, which was grey and mild again. " * 60  # 1,200 tokens
AGENT = "---\nname: Crash\ndescription: Remembers.\ntools: [save_memory]\n---\nDo as you are told.\n"


class SeenClerk:
    """The clerk, whose every request and answer is a moment of its part: a flush, a summary, a turn, the next turn."""

    def __init__(self, world: World) -> None:
        self.clerk = Clerk()
        self.api = MessagesApi(default=self._answer, window=20_000)
        self.log: list[Any] = []
        self._world = world
        self._summed = False

    def _answer(self, body: Mapping[str, Any]) -> str | Message | Fault:
        part: str = part_of(body)
        if part == "turn" and self._summed:
            part = "next turn"
        self._summed = self._summed or part == "summary"
        answer = self.clerk(body)
        self._world.moments.see("asked", part)
        asyncio.get_running_loop().call_soon(self._world.moments.see, "answered", part)
        return answer


class LongWorld(World):
    """A world whose model takes little, so that a few messages are too much for it."""

    def __init__(self, folder: Path, start: Start) -> None:
        super().__init__(folder, start)
        self.seen = SeenClerk(self)
        self.model = self.seen  # type: ignore[assignment]  # it answers as one

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        (self.workspace / "agents/crash/AGENT.md").write_text(AGENT)
        with (self.workspace / "config.yaml").open("a") as file:
            file.write("context: {windows: {crash-model: 20000}}\n")
        return self

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return what the database says."""
        with closing(sqlite3.connect(self.database)) as connection:
            return connection.execute(query).fetchall()


@pytest.mark.parametrize(
    ("kind", "part", "asked_next"),
    [
        ("asked", "flush", {"flush"}),  # before the flush
        ("answered", "flush", {"flush", "summary"}),  # about when it is written down
        ("asked", "summary", {"summary"}),  # after the flush, its notes saved
        ("answered", "summary", {"summary", "turn"}),  # after the summary, about when it is committed
        ("asked", "next turn", {"turn"}),  # after the commit
    ],
)
async def test_a_daemon_killed_while_it_makes_room_goes_on_from_what_it_had(
    tmp_path: Path, start: Start, kind: MomentKind, part: str, asked_next: set[str]
) -> None:
    async with LongWorld(tmp_path / "world", start) as here:
        here.platform.post("ann", FACT)
        for n in range(12):
            here.platform.post("ann", f"Turn {n}. {FILLER}")
        assert await here.live(Aim(kind=kind, subject=part)) == KILLED
        before = list(here.seen.clerk.asked)
        done = here.rows("SELECT count(*) FROM compactions WHERE state = 'done'")[0][0]
        assert done in {("asked", "next turn"): {1}, ("answered", "summary"): {0, 1}}.get((kind, part), {0})
        assert await here.drain()
        assert here.seen.clerk.asked[len(before)] in asked_next
        here.platform.post("ann", "What is the code of the shed?")
        assert await here.drain()
        replies = [entry.content for entry in here.platform.log if entry.kind == "reply"]
        assert len(replies) == 14
        assert replies[-1] == FACT
        flushes, summaries = (here.seen.clerk.asked.count(each) for each in ("flush", "summary"))
        assert abs(flushes - summaries) <= 1, "at most one call is made again"
        assert saved(here.workspace).count(FACT) == 1, "a note is saved once"
        [(states,)] = here.rows("SELECT group_concat(DISTINCT state) FROM compactions")
        assert states == "done", "none is left half way"
        said = [json.loads(blocks) for (blocks,) in here.rows("SELECT blocks FROM transcript ORDER BY n")]
        assert len(said) == 28
        assert sum(FILLER.strip() in str(blocks) for blocks in said) == 12, "the transcript is whole"
