"""A run of a program whose watcher is in a hurry."""

import asyncio
import os
from pathlib import Path

from picklebot.ipc.program import Program

KEEPER = 'read end; echo \'{"ended": ""}\'; read more; sleep 0.2'  # tells of the end, and takes a moment for it


async def test_a_program_is_gone_and_that_is_told_also_where_its_watcher_is_cancelled_twice(tmp_path: Path) -> None:
    told: list[bool] = []
    program = await Program.start(["sh", "-c", KEEPER], os.environ, folder=tmp_path, name="actor")
    watching = asyncio.create_task(program.watch(lambda: told.append(True)))
    for _ in range(2):
        await asyncio.sleep(0.02)
        watching.cancel()
    await asyncio.wait({watching})
    assert watching.cancelled()
    assert program.ended.is_set()
    assert told == [True]
    assert not Path(f"/proc/{program.pid}").exists()
