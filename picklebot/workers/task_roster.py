"""Tasks, as the scheduler sees them.

Promises that a task which is over is kept as history, and that one which cannot be begun says so once, in the chat that
made it. Knows no instant.
"""

import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from typing import Protocol, TypeAlias

from picklebot.core.text import shorten
from picklebot.errors import ToolError
from picklebot.jobs.job import Job
from picklebot.jobs.task import NewTask, Task, TaskState, from_mapping, task_id
from picklebot.workers.requests import Request

logger = logging.getLogger(__name__)

BY_HAND = "cancelled by hand"

#: Says something of a task where its replies go, once for the words.
Tell: TypeAlias = Callable[[Task, str], Awaitable[None]]


class Rows(Protocol):
    """Keeps tasks."""

    async def add(self, new: NewTask) -> Task:
        """Write a task down, once for its key. ToolError: there is no room for it."""
        ...

    async def active(self, *, after: int = 0) -> list[Task]:
        """Return some tasks that run at their times, by id."""
        ...

    async def find(self, task_id: int) -> Task | None:
        """Return a task, if there is one."""
        ...

    async def settle(self, task_id: int, state: TaskState, *, note: str = "") -> bool:
        """End a task that is open; return whether it was."""
        ...

    async def remark(self, task_id: int, note: str) -> bool:
        """Note something of a task; return whether it is news."""
        ...

    async def homeless(self, task_id: int) -> bool:
        """Return whether the session in which a task runs is gone."""
        ...


class TaskRoster:
    """The tasks of one workspace."""

    channel = "task"

    def __init__(self, rows: Rows, *, tell: Tell) -> None:
        self._rows = rows
        self._tell = tell

    async def all(self) -> AsyncGenerator[Sequence[Job], None]:
        """Yield every task that runs at its times, some at a time."""
        after = 0
        while page := await self._rows.active(after=after):
            yield [task.job for task in page]
            after = page[-1].id

    async def job(self, job_id: str) -> Job | None:
        """Return a task that runs at its times; None if it is over, or waits for consent."""
        task = await self._task(job_id)
        return task.job if task is not None and task.state == "active" else None

    async def put_away(self, job: Job) -> None:
        """A task is over."""
        if (task := await self._task(job.id)) is not None:
            await self._rows.settle(task.id, "done", note=task.note)

    async def failed(self, job: Job, reason: str) -> None:
        """A task could not be begun: say so, once; end it where it never will be."""
        task = await self._task(job.id)
        if task is None:
            return
        if job.ends or await self._rows.homeless(task.id):
            news, fate = await self._rows.settle(task.id, "cancelled", note=reason), "It is cancelled."
        else:
            news, fate = await self._rows.remark(task.id, reason), "It goes on once that is mended."
        if news:
            logger.warning("task %d could not be begun: %s", task.id, reason)
            words = f"The task {task.id} ({shorten(task.prompt, 100)}) could not be begun: {reason}. {fate}"
            await self._tell(task, words)

    async def change(self, request: Request) -> str:
        """Add or cancel a task, as a person asked from outside; return its id."""
        try:
            if request.what == "add":
                return (await self._rows.add(from_mapping(request.body))).job_id
            if (task := await self._task(request.job_id)) is not None:
                await self._rows.settle(task.id, "cancelled", note=BY_HAND)
        except (ToolError, ValueError, KeyError, TypeError) as exc:
            logger.warning("the request %s of a task is dropped: %s", request.id, exc)
        return request.job_id

    async def _task(self, job_id: str) -> Task | None:
        number = task_id(job_id)
        return await self._rows.find(number) if number is not None else None
