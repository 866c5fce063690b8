"""The jobs of CRON.md files, as the scheduler sees them.

Promises that a job which is over is out of the way: its folder goes to `crons/.done/`, where no definition is looked
for, and is never written over. Knows no instant.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Mapping, Sequence
from datetime import tzinfo
from itertools import count
from pathlib import Path
from typing import Protocol

from picklebot.core.source import Source
from picklebot.definitions.crons import CronSpec
from picklebot.jobs.job import CRON, Job, job_of
from picklebot.workers.requests import Request

logger = logging.getLogger(__name__)

SLICE = 500  #: jobs that are made at once, off the loop
DONE = ".done"


class Roster(Protocol):
    """Says which jobs there are, of one channel."""

    channel: str

    def all(self) -> AsyncGenerator[Sequence[Job], None]:
        """Yield every job, some at a time."""
        ...

    async def job(self, job_id: str) -> Job | None:
        """Return a job as it is now; None if there is none."""
        ...

    async def put_away(self, job: Job) -> None:
        """A job is over: it was begun once, as it was meant to be, or will never be due again."""
        ...

    async def failed(self, job: Job, reason: str) -> None:
        """A job could not be begun."""
        ...

    async def change(self, request: Request) -> str:
        """Add or cancel a job; return its id."""
        ...


class Crons(Protocol):
    """Holds the jobs that are in force."""

    @property
    def crons(self) -> Mapping[str, CronSpec]:
        """The jobs by id, the disabled ones too."""
        ...


class CronFiles:
    """The jobs of one workspace."""

    channel = CRON

    def __init__(self, library: Crons, folder: Path, *, default_agent: str, zone: tzinfo) -> None:
        self._library = library
        self._folder = folder
        self._default_agent = default_agent
        self._zone = zone

    async def all(self) -> AsyncGenerator[Sequence[Job], None]:
        """Yield every job, some at a time."""
        specs = list(self._library.crons.values())
        for first in range(0, len(specs), SLICE):
            yield await asyncio.to_thread(self._jobs, specs[first : first + SLICE])

    async def job(self, job_id: str) -> Job | None:
        """Return a job as its file has it now; None if there is none."""
        spec = self._library.crons.get(_name(job_id))
        return self._job(spec) if spec is not None else None

    async def put_away(self, job: Job) -> None:
        """Move the job's folder to `crons/.done/`."""
        try:
            place = await asyncio.to_thread(_move, self._folder, _name(job.id))
        except FileNotFoundError:
            logger.debug("job %s is over, and its folder is away already", job.id)
        except OSError as exc:
            logger.warning("job %s is over, and its folder cannot be moved to %s: %s", job.id, DONE, exc)
        else:
            logger.info("job %s is over: its folder is %s now", job.id, place)

    async def failed(self, job: Job, reason: str) -> None:
        """Leave it at its row: the file stays as it is."""

    async def change(self, request: Request) -> str:
        """Leave it as it is: a file is changed by writing it."""
        logger.warning("nobody can %s the job %s but whoever writes its file", request.what, request.job_id)
        return request.job_id

    def _jobs(self, specs: Sequence[CronSpec]) -> list[Job]:
        return [self._job(spec) for spec in specs]

    def _job(self, spec: CronSpec) -> Job:
        return job_of(spec, default_agent=self._default_agent, zone=self._zone)


def _name(job_id: str) -> str:
    return Source.parse(job_id).parts[0]


def _move(folder: Path, name: str) -> Path:
    done = folder / DONE
    done.mkdir(exist_ok=True)
    for n in count(1):
        target = done / (name if n == 1 else f"{name}-{n}")
        if not target.exists():
            return (folder / name).rename(target)
    raise AssertionError("there is always another number")
