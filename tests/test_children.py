"""Programs that are cut off while they start, and dead ones whose pipes somebody still holds."""

import asyncio
import os
import signal
from pathlib import Path

import pytest

from picklebot import children
from tests.processes import running

SECONDS = 20.0  #: after which something waits for ever
NAP = "1000.17"  #: what no other program sleeps
PAIR = f"setsid sleep {NAP} & exec sleep {NAP}"  # two processes in two sessions, as those of bubblewrap
# A third one that is nobody's, and has all pipes of the first.
HELD = f"(setsid sleep {NAP} <&0 & echo $!); exec sleep {NAP}"


@pytest.mark.parametrize("milliseconds", range(0, 12, 2))
async def test_a_start_that_is_cancelled_ends_and_leaves_nothing(milliseconds: int, tmp_path: Path) -> None:
    starting = asyncio.create_task(children.start(["sh", "-c", PAIR], os.environ, folder=tmp_path, limit=100))
    await asyncio.sleep(milliseconds / 1000)
    if starting.cancel():
        await asyncio.wait({starting}, timeout=SECONDS)
        assert starting.cancelled()
    else:
        process = starting.result()
        children.kill(process)
        await asyncio.wait_for(children.let_go(process), SECONDS)
    assert not running("sleep", NAP)


async def test_a_start_that_is_cancelled_twice_leaves_nothing_either(tmp_path: Path) -> None:
    starting = asyncio.create_task(children.start(["sh", "-c", PAIR], os.environ, folder=tmp_path, limit=100))
    for _ in range(2):
        await asyncio.sleep(0)  # a step, and not a time: a quick machine has started it within a millisecond
        starting.cancel()
    await asyncio.wait({starting}, timeout=SECONDS)
    assert starting.cancelled()
    assert not running("sleep", NAP)


async def test_nobody_waits_for_who_holds_the_pipes_of_a_dead_process(tmp_path: Path) -> None:
    process = await children.start(["sh", "-c", HELD], os.environ, folder=tmp_path, limit=100)
    assert process.stdin is not None
    assert process.stdout is not None
    holder = int(await process.stdout.readline())
    try:
        process.stdin.write(b"x" * 1_000_000)  # which nobody reads
        children.kill(process)
        await asyncio.wait_for(children.let_go(process), SECONDS)
        assert process.returncode == -signal.SIGKILL
    finally:
        os.kill(holder, signal.SIGKILL)


async def test_a_program_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await children.start([str(tmp_path / "none")], {}, folder=tmp_path, limit=100)
