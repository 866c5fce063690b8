"""The owner's consent to tasks that would run often, through /approve and /deny.

Promises that a task starts only by the owner's word, and that asking twice opens one question. Knows no store.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Protocol

from picklebot.clock import Clock
from picklebot.core.proposals import Asking, Proposal, propose
from picklebot.core.text import shorten
from picklebot.jobs.rate import most_in_an_hour
from picklebot.jobs.task import Task, TaskState
from picklebot.jobs.wishes import words
from picklebot.tools.base import ToolContext

KIND = "task"


class Waiting(Protocol):
    """Keeps tasks."""

    async def start(self, task_id: int, at: datetime) -> bool:
        """Let a task that waits be due from `at` on; return whether it waited."""
        ...

    async def find(self, task_id: int) -> Task | None:
        """Return a task, if there is one."""
        ...

    async def settle(self, task_id: int, state: TaskState, *, note: str = "", only: TaskState | None = None) -> bool:
        """End a task in the state `only`; return whether it was."""
        ...


class TaskConsent:
    """Asks, and does as the owner says. `changed` hears of a task that starts."""

    def __init__(
        self,
        *,
        rows: Waiting,
        keep: Callable[[Proposal], Awaitable[Proposal]],
        clock: Clock,
        changed: Callable[[str], None],
    ) -> None:
        self._rows = rows
        self._keep = keep
        self._clock = clock
        self._changed = changed

    async def ask(self, task: Task, context: ToolContext) -> str:
        """Ask the owner whether a task may start, once for the call; return what to tell the model that made it.

        Raises:
            ToolError: too many questions wait already.
        """
        count = most_in_an_hour(task.timing, start=task.created_at)
        when = words(task.timing, now=task.created_at)
        kept = await self._keep(
            propose(
                KIND,
                {"task": task.id},
                Asking(session_id=context.session_id, source=context.source, key=context.key, at=self._clock.now()),
                title=f"Start task {task.id}, which runs up to {count} times an hour: {shorten(task.prompt, 100)}",
                details=f"{when}\n\n{task.prompt}",
                about=task.job_id,
            )
        )
        return (
            f"It would run up to {count} times an hour, so it waits for the owner's consent: they may say "
            f"/approve {kept.id} or /deny {kept.id}. Tell the user so."
        )

    async def apply(self, proposal: Proposal) -> str:
        """Start the task that the owner agreed to."""
        number = int(proposal.body["task"])
        started = await self._rows.start(number, self._clock.now())
        task = await self._rows.find(number)
        if task is None or task.state != "active":
            return f"Task {number} is {task.state if task else 'gone'}, and does not start."
        if started:
            self._changed(task.job_id)
        return f"Task {number} runs {words(task.timing, now=self._clock.now())}."

    async def refuse(self, proposal: Proposal) -> None:
        """Cancel the task that the owner does not want."""
        await self._rows.settle(int(proposal.body["task"]), "cancelled", note="the owner refused it", only="waiting")
