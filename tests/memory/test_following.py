"""What is changed by hand is found, while nobody looks at the files but the follower."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from picklebot.clock import SystemClock
from picklebot.memory.memories import Memories
from tests.memory.conftest import write


@asynccontextmanager
async def followed(folder: Path, index: Path) -> AsyncGenerator[Memories]:
    memories = Memories(folder, index.parent, clock=SystemClock())
    following = asyncio.create_task(memories.follow(), name="following")
    try:
        yield memories
    finally:
        following.cancel()
        await asyncio.wait({following})
        await memories.close()


async def found(memories: Memories, query: str, *paths: str) -> float:
    """Wait until `query` finds exactly `paths`; return how long that took."""
    began = time.monotonic()
    async with asyncio.timeout(20):
        while {note.path for note in (await memories.search(query)).notes} != set(paths):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    return time.monotonic() - began


async def test_a_first_search_waits_for_what_was_there(folder: Path, index: Path) -> None:
    for number in range(50):
        write(folder, f"topics/n{number}.md", f"note {number}")
    async with followed(folder, index) as memories:
        result = await memories.search("note 7", limit=1)
        assert ([note.path for note in result.notes], result.problems) == (["topics/n7.md"], [])


@pytest.mark.parametrize("before", [True, False], ids=["in a folder that is there", "in one that is not"])
async def test_a_file_changed_by_hand_is_found(folder: Path, index: Path, before: bool) -> None:
    if before:
        write(folder, "topics/old.md", "plum")
    async with followed(folder, index) as memories:
        await memories.search("x")
        write(folder, "projects/deep/new.md", "apple")
        await found(memories, "apple", "projects/deep/new.md")
        write(folder, "projects/deep/new.md", "quince")
        await found(memories, "quince", "projects/deep/new.md")
        await found(memories, "apple")
        (folder / "projects/deep").rename(folder / "projects/deeper")
        await found(memories, "quince", "projects/deeper/new.md")
        (folder / "projects/deeper/new.md").unlink()
        await found(memories, "quince")


async def test_an_index_deleted_meanwhile_comes_back(folder: Path, index: Path) -> None:
    for number in range(50):
        write(folder, f"topics/n{number}.md", f"note {number}")
    async with followed(folder, index) as memories:
        await found(memories, "7", "topics/n7.md")
        index.unlink()
        await found(memories, "7", "topics/n7.md")
        assert index.exists()


def write_many(folder: Path) -> None:
    for number in range(3_000):
        write(folder, f"topics/n{number}.md", f"note {number}")


async def test_the_follower_ends_in_the_middle_of_its_first_look(folder: Path, index: Path) -> None:
    await asyncio.to_thread(write_many, folder)
    async with followed(folder, index):
        await asyncio.sleep(0.05)
