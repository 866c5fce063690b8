"""Stories by the ten thousand. Knows the table and how stories are told."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

from picklebot.workers.company import Queue
from tests.campaign.table import Row
from tests.simulation import plants as planted
from tests.simulation.story import Story, tell

CHUNK = 100  #: seeds given to a process at once
PLANTS = {
    "two transactions": planted.TWO_TRANSACTIONS,
    "tools run again": planted.RERUN_TOOLS,
    "a second worker": planted.SECOND_WORKER,
    "synchronous=NORMAL": planted.LAZY_COMMITS,
    "joined and marked in two transactions": planted.MARKED_LATER,
}
QUEUES: Sequence[Queue] = ("followup", "collect", "steer", "interrupt")


async def seeds(count: int, first: int = 0) -> Row:
    """Tell the stories of `count` seeds."""
    began = time.monotonic()
    chunks = [range(start, min(start + CHUNK, first + count)) for start in range(first, first + count, CHUNK)]
    with ProcessPoolExecutor() as pool:
        loop = asyncio.get_running_loop()
        told = await asyncio.gather(*(loop.run_in_executor(pool, stories, chunk) for chunk in chunks))
    all_stories = [story for chunk in told for story in chunk]
    failed = [story.problems[0] for story in all_stories if story.problems]
    crashes = sum(len(story.deaths) for story in all_stories)
    return Row(
        check="Simulated stories",
        done=f"{len(all_stories):,} seeds, {crashes:,} crashes and stops, {sum(s.steps for s in all_stories):,} steps",
        found="; ".join([f"{len(failed)} failed", *failed[:5]]),
        seconds=time.monotonic() - began,
        well=not failed,
    )


def stories(chunk: range) -> list[Story]:
    """Tell some stories."""
    return [tell(seed, queue=QUEUES[seed % len(QUEUES)]) for seed in chunk]


async def plants(count: int = 200) -> Row:
    """Tell stories with a bug, and count those that end badly."""
    began = time.monotonic()
    with ProcessPoolExecutor() as pool:
        loop = asyncio.get_running_loop()
        names = list(PLANTS)
        found = await asyncio.gather(*(loop.run_in_executor(pool, failures, name, count) for name in names))
    return Row(
        check="Simulated stories with planted bugs",
        done=f"{count:,} seeds of each",
        found="; ".join(f"{name}: {failed} failed" for name, failed in zip(names, found, strict=True)),
        seconds=time.monotonic() - began,
        well=all(found),
    )


def failures(name: str, count: int) -> int:
    """Count the seeds with which a planted bug is found."""
    queue: Queue = "steer" if PLANTS[name] is planted.MARKED_LATER else "followup"
    return sum(bool(tell(seed, PLANTS[name], queue).problems) for seed in range(count))
