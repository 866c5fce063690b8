"""Folders and links that change places while tools go through them and sandboxes are made on them."""

import tempfile
import time
from pathlib import Path

from tests.campaign.table import Row
from tests.sandbox.racing import race


async def links(seconds: int) -> Row:
    """Race for so long under each sandbox."""
    began, done, escapes = time.monotonic(), list[str](), list[str]()
    for kind in ("bubblewrap", "landlock"):
        with tempfile.TemporaryDirectory(prefix="picklebot-race-") as folder:
            raced = await race(kind, Path(folder), seconds)
        done.append(f"{kind}: {raced.flips:,} flips, {raced.calls:,} file calls, {raced.starts:,} processes begun")
        escapes += raced.escapes
    return Row(
        check=f"Symlink race, {seconds} s in each sandbox",
        done="; ".join(done),
        found="; ".join([f"{len(escapes)} got outside", *escapes[:3]]),
        seconds=time.monotonic() - began,
        well=not escapes,
    )
