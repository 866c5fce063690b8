"""Power cuts by the hundred thousand, each judged. Knows the table and how days are cut."""

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor

from tests.campaign.table import Row
from tests.power.cutting import Tally, cut, record
from tests.power.plants import TwoTransactions

OF_A_DAY = 500  #: images


async def cuts(images: int) -> Row:
    """Cut the power of as many days as it takes."""
    began = time.monotonic()
    days = range(-(-images // OF_A_DAY))
    total = Tally()
    with ProcessPoolExecutor() as pool:
        loop = asyncio.get_running_loop()
        for tally in await asyncio.gather(*(loop.run_in_executor(pool, day, seed) for seed in days)):
            total.images += tally.images
            total.lost += tally.lost
            total.broken += tally.broken
    found = f"0 lost an accepted message, {len(total.broken)} damaged" if not total.lost else f"{len(total.lost)} LOST"
    return Row(
        check="Power cuts",
        done=f"{total.images:,} images",
        found="; ".join([found, *total.failed[:3]]),
        seconds=time.monotonic() - began,
        well=not total.failed,
    )


def day(seed: int) -> Tally:
    """Live one day and cut its power at many moments."""
    return cut(record(seed), OF_A_DAY)


async def plants(images: int = 2 * OF_A_DAY) -> Row:
    """Cut the power of days with a bug."""
    began = time.monotonic()
    planted = {
        "synchronous=NORMAL": cut(await asyncio.to_thread(record, 0, synchronous="NORMAL"), images),
        "synchronous=OFF": cut(await asyncio.to_thread(record, 0, synchronous="OFF"), images),
        "two transactions": cut(await asyncio.to_thread(record, 0, turns=TwoTransactions), images),
    }
    return Row(
        check="Power cuts of planted bugs",
        done=f"{images:,} images of each",
        found="; ".join(f"{name}: {len(t.lost)} lost, {len(t.broken)} half done" for name, t in planted.items()),
        seconds=time.monotonic() - began,
        well=all(tally.failed for tally in planted.values()),
    )
