"""Tasks: jobs that are made, listed and ended in conversation.

Promises one task for one call, that a task which would run often starts only when its owner agrees, and that nobody but
the owner sees or ends the tasks of another place. Knows no schedule's arithmetic and no SQL.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, tzinfo
from typing import Protocol, TypeAlias, assert_never

from picklebot.clock import Clock
from picklebot.core.finishing import to_the_end
from picklebot.core.source import Source
from picklebot.core.text import shorten
from picklebot.errors import NotFound
from picklebot.jobs.rate import FREQUENT, most_in_an_hour
from picklebot.jobs.task import NewTask, Task, TaskState, task_id
from picklebot.jobs.timing import next_instant
from picklebot.jobs.wishes import Wish, understand, words
from picklebot.tools.base import ToolContext
from picklebot.workers.commands import Command

SHOWN = 50  #: tasks in one listing
ENDED = 10  #: of them, those that have ended
_AGENTS = "agent"  # the channel of turns that another agent began


class Rows(Protocol):
    """Keeps tasks."""

    async def add(self, new: NewTask) -> Task:
        """Write a task down, once for its key. ToolError: there is no room for it."""
        ...

    async def by_key(self, key: str) -> Task | None:
        """Return the task that a call has made, if it has."""
        ...

    async def find(self, task_id: int) -> Task | None:
        """Return a task, if there is one."""
        ...

    async def open(self, *, place: str | None = None, limit: int) -> list[Task]:
        """Return tasks that run or wait for consent, of one place or all."""
        ...

    async def ended(self, *, place: str | None = None, limit: int) -> list[Task]:
        """Return tasks that will not run again, newest first."""
        ...

    async def settle(self, task_id: int, state: TaskState, *, note: str = "", only: TaskState | None = None) -> bool:
        """Change a task that is open, or only one that is in one state; return whether it was."""
        ...


#: Asks the owner whether a task may start, once for the call; returns what to tell the model that made it.
Consent: TypeAlias = Callable[[Task, ToolContext], Awaitable[str]]


class TaskBook:
    """Makes, lists and ends tasks. `changed` hears which job is to be looked at again."""

    def __init__(
        self,
        *,
        rows: Rows,
        clock: Clock,
        zone: tzinfo,
        is_owner: Callable[[Source], bool],
        consent: Consent,
        changed: Callable[[str], None],
    ) -> None:
        """`zone` is for tasks that name none."""
        self._rows = rows
        self._clock = clock
        self._zone = zone
        self._is_owner = is_owner
        self._consent = consent
        self._changed = changed

    async def schedule(self, prompt: str, when: Mapping[str, str], context: ToolContext) -> Mapping[str, str]:
        """Keep a task, once for the call; return its id and how it was understood.

        Raises:
            ValueError: it would never run.
            ToolError: there is no room for it.
        """
        task = await self._rows.by_key(context.key)  # it was made before: what was understood then holds
        if task is None:
            now = self._clock.now().replace(microsecond=0)
            timing = understand(Wish(**when), now=now, zone=self._zone)
            new = NewTask(
                key=context.key,
                session_id=context.session_id,
                agent_id=context.agent_id,
                place=_place(context),
                prompt=prompt,
                timing=timing,
                created_at=now,
                waiting=most_in_an_hour(timing, start=now) > FREQUENT,
            )
            # Once it is on disk it is asked for and looked at, also where the turn that makes it is stopped meanwhile.
            return await to_the_end(self._begin(new, context), name=f"making a task of {context.session_id}")
        return await self._go_on(task, context)

    async def _begin(self, new: NewTask, context: ToolContext) -> Mapping[str, str]:
        return await self._go_on(await self._rows.add(new), context)

    async def _go_on(self, task: Task, context: ToolContext) -> Mapping[str, str]:
        note = await self._consent(task, context) if task.state == "waiting" else ""
        self._changed(task.job_id)
        return _told(task, note)

    async def listing(self, context: ToolContext) -> str:
        """Return the open tasks that the caller may see, a line each."""
        tasks = await self._rows.open(place=self._scope(_place(context)), limit=SHOWN + 1)
        return self._lines(tasks) or "Nothing is scheduled."

    async def cancel(self, task: str | int, context: ToolContext) -> str:
        """End a task; return what there is to say.

        Raises:
            NotFound: the caller has none of that id.
        """
        return await self.end(task, place=_place(context))

    async def end(self, task: str | int, *, place: str) -> str:
        """End a task that may be seen at `place`; return what there is to say.

        Raises:
            NotFound: there is none of that id.
        """
        number, scope = task_id(task), self._scope(place)
        found = await self._rows.find(number) if number is not None else None
        if found is None or (scope is not None and found.place != scope):
            raise NotFound(f"there is no task {str(task)[:40]!r} here; list_tasks and /tasks show those that there are")
        if found.state == "done":
            return f"Task {found.id} has run and will not run again."
        await self._rows.settle(found.id, "cancelled", note=f"cancelled at {place}")
        self._changed(found.job_id)
        return f"Task {found.id} is cancelled: {shorten(found.prompt, 80)}"

    def table(self) -> Mapping[str, Command]:
        """Return the slash command by its name."""
        return {"tasks": Command("tasks", "[cancel ID]", "Which tasks there are, or end one.", self._command)}

    async def _command(self, source: Source, argument: str) -> str:
        verb, _, rest = argument.partition(" ")
        if verb == "cancel" and rest.strip():
            return await self.end(rest, place=str(source))
        if argument:
            return "Write /tasks, or /tasks cancel ID."
        place = self._scope(str(source))
        open_ = await self._rows.open(place=place, limit=SHOWN + 1)
        ended = await self._rows.ended(place=place, limit=ENDED)
        parts = [self._lines(open_) or "Nothing is scheduled.", self._lines(ended)]
        return "\n\nEnded:\n".join(part for part in parts if part)

    def _scope(self, place: str) -> str | None:
        """Return whose tasks may be seen at `place`: its own; None is everybody's, for the owner."""
        return None if place == "last" or self._is_owner(Source.parse(place)) else place

    def _lines(self, tasks: Sequence[Task]) -> str:
        lines = [line(task, now=self._clock.now()) for task in tasks[:SHOWN]]
        return "\n".join([*lines, "- and more"] if len(tasks) > SHOWN else lines)


def line(task: Task, *, now: datetime) -> str:
    """Return a task on one line."""
    match task.state:
        case "active":
            when = words(task.timing, now=now)
        case "waiting":
            when = f"waits for the owner's consent, {words(task.timing, now=now)}"
        case "done" | "cancelled":
            when = task.state
        case _:
            assert_never(task.state)
    note = f" ({task.note})" if task.note else ""
    return f"- **{task.id}** {when}: {shorten(task.prompt, 100)}{note}"


def _told(task: Task, note: str) -> Mapping[str, str]:
    told = {"id": str(task.id), "state": task.state, "understood": words(task.timing, now=task.created_at)}
    first = next_instant(task.timing, after=task.created_at)
    if first is not None:
        told["next"] = first.at.astimezone(task.timing.zone).isoformat(timespec="seconds")
    return {**told, "state": "waiting for consent", "note": note} if note else told


def _place(context: ToolContext) -> str:
    """Return where a task's replies go: where those of the turn that makes it do.

    Raises:
        ValueError: that turn answers another agent, in a chat of which it knows nothing.
    """
    if context.source.channel == _AGENTS:
        raise ValueError("only the agent that speaks with the user has tasks: say in your answer what to schedule")
    if context.deliver is None:
        return str(context.source)
    return "last" if context.deliver == "none" else context.deliver
