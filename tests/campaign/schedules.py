"""Every instant of four years in two hundred zones, beside an oracle that looks at every minute."""

import asyncio
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime

from tests.campaign.table import Row
from tests.jobs.comparing import compare
from tests.jobs.oracle import CASES, FIRST, YEARS, zones


async def oracle(count: int) -> Row:
    """Compare `count` zones."""
    began = time.monotonic()
    names = zones(count)
    total, wrong = 0, list[str]()
    with ProcessPoolExecutor() as pool:
        loop = asyncio.get_running_loop()
        years = [(name, number) for name in names for number in range(FIRST, FIRST + YEARS)]
        for instants, odd in await asyncio.gather(*(loop.run_in_executor(pool, _year, *each) for each in years)):
            total += instants
            wrong += odd
    return Row(
        check="Schedules beside the oracle",
        done=f"{len(names)} zones, {YEARS} years, {len(CASES)} expressions: {total:,} instants",
        found="; ".join([f"{len(wrong)} disagree", *wrong[:3]]),
        seconds=time.monotonic() - began,
        well=not wrong and bool(total),
    )


def _year(name: str, number: int) -> tuple[int, list[str]]:
    return compare(name, datetime(number, 1, 1, tzinfo=UTC), datetime(number + 1, 1, 1, tzinfo=UTC))
