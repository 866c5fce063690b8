"""Requests that nobody would write, over the whole HTTP API of a real daemon."""

import asyncio
import tempfile
import time
from pathlib import Path

from tests.campaign.table import Row
from tests.gateway.fuzzing import fuzz, serving, token_of


async def odd(count: int, seed: int) -> Row:
    """Send about `count` of them."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="picklebot-requests-") as folder:
        async with serving(Path(folder)) as (url, workspace):
            found = await asyncio.to_thread(fuzz, url, token_of(workspace), requests=count, seed=seed)
    by_status = ", ".join(f"{number:,} answered {status}" for status, number in sorted(found.by_status.items()))
    return Row(
        check="Odd requests over the HTTP API",
        done=f"{found.requests:,} requests: {by_status}",
        found=f"{len(found.broken)} answered 5xx or not at all" + "".join(f"; {each}" for each in found.broken[:3]),
        seconds=time.monotonic() - began,
        well=not found.broken,
    )
