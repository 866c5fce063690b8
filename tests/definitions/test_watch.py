import asyncio
import sys
import threading
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from pathlib import Path

import pytest

from picklebot.definitions.library import Library
from picklebot.definitions.watch import watch

LONG = 3600.0  # no hint within a test comes from the interval


async def hint(hints: AsyncGenerator[None], *, within: float = 2.0) -> None:
    async with asyncio.timeout(within):
        await anext(hints)


async def settle(hints: AsyncGenerator[None]) -> None:
    """Take the two hints that say that the folders are watched."""
    await hint(hints)
    await hint(hints)


async def until_seen(hints: AsyncGenerator[None], library: Library, name: str) -> None:
    async with asyncio.timeout(2):
        while name not in library.agents:
            await anext(hints)
            library.scan()


async def arrives(heard: asyncio.Queue[None], *, within: float) -> bool:
    with suppress(TimeoutError):
        async with asyncio.timeout(within):
            await heard.get()
            return True
    return False


def drop(workspace: Path, name: str) -> None:
    (workspace / "agents" / name).mkdir(parents=True)
    (workspace / "agents" / name / "AGENT.md").write_text("Hello.", encoding="utf-8")


async def test_an_agent_dropped_in_is_found(tmp_path: Path) -> None:
    (tmp_path / "agents").mkdir()
    library = Library(tmp_path)
    async with aclosing(watch(tmp_path, interval=LONG)) as hints:
        await settle(hints)
        drop(tmp_path, "scout")
        await until_seen(hints, library, "scout")


async def test_folders_need_not_exist_yet(tmp_path: Path) -> None:
    library = Library(tmp_path)
    async with aclosing(watch(tmp_path, interval=LONG)) as hints:
        await settle(hints)
        drop(tmp_path, "scout")
        await until_seen(hints, library, "scout")


async def test_a_folder_made_meanwhile_is_watched_too(tmp_path: Path) -> None:
    heard = asyncio.Queue[None]()

    async def consume() -> None:
        async for hinted in watch(tmp_path, interval=LONG):
            heard.put_nowait(hinted)

    consumer = asyncio.create_task(consume(), name="consumer")
    await heard.get()
    drop(tmp_path, "scout")
    while await arrives(heard, within=1.0):
        pass
    (tmp_path / "agents" / "scout" / "AGENT.md").write_text("Edited.", encoding="utf-8")
    assert await arrives(heard, within=2.0)
    consumer.cancel()
    await asyncio.wait({consumer})


async def test_an_edit_a_replacement_and_a_removal_are_hinted_at(tmp_path: Path) -> None:
    drop(tmp_path, "scout")
    path = tmp_path / "agents" / "scout" / "AGENT.md"
    library = Library(tmp_path)
    library.scan()
    async with aclosing(watch(tmp_path, interval=LONG)) as hints:
        await settle(hints)
        path.write_text("Edited.", encoding="utf-8")
        await settle(hints)
        assert len(library.scan()) == 1
        (path.parent / "new").write_text("Replaced.", encoding="utf-8")
        (path.parent / "new").rename(path)
        await settle(hints)
        assert library.agents["scout"].prompt == "Edited."
        assert len(library.scan()) == 1
        path.unlink()
        await settle(hints)
        assert len(library.scan()) == 1


async def test_what_is_not_ours_is_not_hinted_at(tmp_path: Path) -> None:
    (tmp_path / "skills" / "pdf" / "scripts").mkdir(parents=True)
    async with aclosing(watch(tmp_path, interval=LONG)) as hints:
        await settle(hints)
        (tmp_path / "picklebot.db").write_text("x", encoding="utf-8")
        (tmp_path / "skills" / "pdf" / "scripts" / "fill.py").write_text("x", encoding="utf-8")
        with pytest.raises(TimeoutError):
            await hint(hints, within=1.0)


async def test_a_hint_comes_each_interval_whatever_happens(tmp_path: Path) -> None:
    async with aclosing(watch(tmp_path / "nowhere", interval=0.01)) as hints:
        for _ in range(5):
            await hint(hints)


async def test_without_watchfiles_it_looks_each_second(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "watchfiles", None)
    library = Library(tmp_path)
    async with aclosing(watch(tmp_path)) as hints:
        drop(tmp_path, "scout")
        await until_seen(hints, library, "scout")


async def test_cancelling_the_consumer_leaves_no_thread_and_no_task(tmp_path: Path) -> None:
    before, seen = threading.active_count(), asyncio.Event()

    async def consume() -> None:
        async for _ in watch(tmp_path, interval=LONG):
            seen.set()

    consumer = asyncio.create_task(consume(), name="consumer")
    async with asyncio.timeout(2):
        await seen.wait()
        consumer.cancel()
        await asyncio.wait({consumer})
    assert consumer.cancelled()
    assert threading.active_count() == before
    assert asyncio.all_tasks() == {asyncio.current_task()}
