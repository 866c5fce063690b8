"""Kills, stops and planted bugs by the thousand.

A world is raided a hundred times, drained, judged and thrown away; one in which something was found is kept, and its
place printed. Knows the harness and the table.
"""

import asyncio
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from tests.campaign.table import Budget, Row
from tests.crash.daemons import Start, nursery
from tests.crash.harness import SETTINGS, Raid, hunt, raid
from tests.crash.judge import Findings
from tests.crash.plants import PLANTS

T = TypeVar("T")

LIVES = 100  #: of the daemon in one world
HUNT = 400  #: lives in which a planted bug must be seen


async def kills(budget: Budget) -> Row:
    """SIGKILL at random times, at moments that are seen, and inside tools."""
    return await _campaign(budget.kills, budget.seed, signal.SIGKILL)


async def stops(budget: Budget) -> Row:
    """SIGTERM at random times: exit 0 within 30 s, and nothing lost."""
    return await _campaign(budget.stops, budget.seed, signal.SIGTERM)


async def plants(budget: Budget) -> Row:
    """Every bug on purpose is seen."""
    began = time.monotonic()

    async def find_all(start: Start, folder: Path) -> list[str]:
        caught: list[str] = []
        for name in PLANTS:
            findings = await hunt(folder / "world", start, name, lives=HUNT, seed=budget.seed)
            shutil.rmtree(folder / "world")
            if findings.verdicts:
                caught.append(f"{name}: {min(findings.verdicts)}, after {findings.counts['kills']} kills")
        return caught

    caught = await _in_nursery(find_all)
    return Row(
        check="Planted bugs",
        done=f"{len(PLANTS)} bugs",
        found=f"{len(caught)} caught: {'; '.join(caught)}",
        seconds=time.monotonic() - began,
        well=len(caught) == len(PLANTS),
    )


async def _campaign(lives: int, seed: int, by: signal.Signals) -> Row:
    began = time.monotonic()
    total = Findings()

    async def conquer(start: Start, folder: Path) -> None:
        worlds = iter(range(-(-lives // LIVES)))

        async def lane() -> None:
            for number in worlds:  # shared: each lane takes the next world that nobody has
                plan = Raid(lives=min(LIVES, lives - number * LIVES), seed=seed + number, by=by, glances=10)
                place = folder / f"world{number}"
                findings = await raid(place, start, SETTINGS[number % len(SETTINGS)], plan)
                total.add(findings)
                _keep_or_forget(place, findings)
                print(f"  {min(lives, (number + 1) * LIVES):,} of {lives:,}", end="\r", file=sys.stderr)

        async with asyncio.TaskGroup() as lanes:
            for _ in range(os.cpu_count() or 1):
                lanes.create_task(lane())

    await _in_nursery(conquer)
    seen = total.counts
    return Row(
        check="SIGKILL" if by is signal.SIGKILL else "SIGTERM",
        done=f"{seen['kills'] if by is signal.SIGKILL else seen['stops']:,} signals, {seen['messages']:,} messages, "
        f"{seen['effects']:,} tool runs",
        found=_found(total),
        seconds=time.monotonic() - began,
        well=not total.verdicts,
    )


def _found(total: Findings) -> str:
    if total.verdicts:
        return "; ".join(f"{verdict}: {len(faults)}" for verdict, faults in total.faults.items() if faults)
    seen = total.counts
    return (
        "0 lost, 0 duplicate turns, 0 double `once` runs, order kept, integrity ok; "
        f"{seen['told unknown']:,} calls told as unknown, {seen['set aside']:,} messages set aside and told, "
        f"{seen['repeats of a reply']:,} replies sent again"
    )


def _keep_or_forget(place: Path, findings: Findings) -> None:
    if findings.verdicts:
        print(f"{place}: {findings}", file=sys.stderr)
    else:
        shutil.rmtree(place)


async def _in_nursery(work: Callable[[Start, Path], Awaitable[T]]) -> T:
    """Do `work` in a folder of its own, which is kept if anything is left in it."""
    folder = Path(tempfile.mkdtemp(prefix="picklebot-campaign-"))
    async with nursery(folder) as start:
        done = await work(start, folder)
    if not any(path.is_dir() for path in folder.iterdir()):
        shutil.rmtree(folder)
    return done
