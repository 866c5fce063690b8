"""Jobs in tests: files to write, and facts in the store to wait for."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from picklebot.app import App
from picklebot.store.base import InstantReport, JobState
from picklebot.testing.clock import PATIENCE

Written: TypeAlias = Callable[..., str]


def write_job(workspace: Path, name: str, prompt: str = "Say what there is to say.", **fields: object) -> str:
    """Write a CRON.md that answers to fake:ann every hour, or as `fields` say; return the job's id."""
    given: dict[str, object] = {"deliver": "fake:ann", **fields}
    given = {key: value for key, value in given.items() if value != ""}
    if not {"schedule", "every", "at"} & set(given):
        given["schedule"] = "0 * * * *"
    folder = workspace / "crons" / name
    folder.mkdir(parents=True, exist_ok=True)
    head = "\n".join(f"{key}: {value}" for key, value in given.items())
    (folder / "CRON.md").write_text(f"---\nname: {name}\n{head}\n---\n{prompt}\n", encoding="utf-8")
    return f"cron:{name}"


async def until(fact: Callable[[], Awaitable[bool]]) -> None:
    """Wait for a fact of the store: it rings no bell."""
    async with asyncio.timeout(PATIENCE):
        while not await fact():  # noqa: ASYNC110
            await asyncio.sleep(0.005)


async def scheduled(app: App, job_id: str) -> JobState:
    """Wait until a job has its next moment, and return what is remembered of it."""

    async def known() -> bool:
        return any(state.next is not None for state in await app.store.jobs.states([job_id]))

    await until(known)
    [state] = await app.store.jobs.states([job_id])
    return state


async def rows(app: App, job_id: str, count: int) -> list[InstantReport]:
    """Wait until a job has so many instants that have come to their end, and return all of its instants."""

    async def there() -> bool:
        history = await app.store.jobs.history(job_id, limit=1000)
        return sum(not instant.open for instant in history) >= count

    await until(there)
    return await app.store.jobs.history(job_id, limit=1000)


def told(history: list[InstantReport]) -> list[tuple[str, str]]:
    """Return wall and verdict of each instant."""
    return [(instant.wall, instant.verdict) for instant in history]
