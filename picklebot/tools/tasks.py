"""The tools for jobs made in conversation, as a model sees them.

Promises that a call which is made again makes no second task. Knows only the narrow seam below: what keeps the tasks and
when they run is not its business.
"""

from collections.abc import Mapping
from typing import Annotated, Protocol

from pydantic import Field

from picklebot.errors import NotFound, ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool

MAX_PROMPT = 10_000  #: characters that a task may ask


class Tasks(Protocol):
    """What keeps tasks."""

    async def schedule(self, prompt: str, when: Mapping[str, str], context: ToolContext) -> Mapping[str, str]:
        """Keep a task, once for the call; return its id and how it was understood. ValueError: why not, in words.

        `when` holds those of schedule, at, every and timezone that were given.
        """
        ...

    async def listing(self, context: ToolContext) -> str:
        """Return the tasks that the caller may see, a line each. ValueError: the caller may see none, in words."""
        ...

    async def cancel(self, task: str | int, context: ToolContext) -> str:
        """End a task; return what there is to say. NotFound, ValueError: why not, in words."""
        ...


def create_task_tools(tasks: Tasks) -> list[Tool]:
    """Return schedule_task, list_tasks and cancel_task."""

    # Keyed: the call's key is the task's, so that a turn which is resumed makes one task.
    @tool(effect=Effect.KEYED)
    async def schedule_task(
        prompt: Annotated[
            str, Field(description="What you will be asked then, in full.", min_length=1, max_length=MAX_PROMPT)
        ],
        context: ToolContext,
        *,
        schedule: Annotated[str | None, Field(description="Five cron fields, such as '0 9 * * 1-5'.")] = None,
        at: Annotated[str | None, Field(description="Once, local time: '2026-12-01T09:00', or '15:00'.")] = None,
        every: Annotated[str | None, Field(description="Again and again: '30m', '2h', '1d'.")] = None,
        timezone: Annotated[str | None, Field(description="Such as 'Europe/Berlin'; else the user's own.")] = None,
    ) -> Mapping[str, str]:
        """Ask yourself something later, in this conversation: reminders, follow-ups, regular work.

        Your reply then goes to this chat. Give exactly one of schedule, at and every, and tell the user how it was
        understood.
        """
        try:
            given = {"schedule": schedule, "at": at, "every": every, "timezone": timezone}
            return await tasks.schedule(prompt, {key: text for key, text in given.items() if text}, context)
        except ValueError as exc:
            raise ToolError(str(exc)) from exc

    @tool(effect=Effect.PURE)
    async def list_tasks(context: ToolContext) -> str:
        """List the tasks of this chat: what is asked, and when next."""
        try:
            return await tasks.listing(context)
        except ValueError as exc:
            raise ToolError(str(exc)) from exc

    # Keyed: a task that is cancelled stays so.
    @tool(effect=Effect.KEYED)
    async def cancel_task(
        id: Annotated[str | int, Field(description="The task's id, from schedule_task or list_tasks.")],  # noqa: A002
        context: ToolContext,
    ) -> str:
        """Cancel a task: it will not run again."""
        try:
            return await tasks.cancel(id, context)
        except (NotFound, ValueError) as exc:
            raise ToolError(str(exc)) from exc

    return [schedule_task, list_tasks, cancel_task]
