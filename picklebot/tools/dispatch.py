"""The tool by which an agent gives a task to another one and waits for the answer.

Promises the answer as JSON, `{"result", "session_id"}`, that fits a conversation. Knows neither store nor bus: who
carries the task is behind the narrow seam below.
"""

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Protocol

from pydantic import Field

from picklebot.core.marks import Marks
from picklebot.core.text import shorten
from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool
from picklebot.tools.toolset import LIMIT, cap

DISPATCH = "subagent_dispatch"
_DESCRIBED = 200  # characters of an agent's description
_REST = "the answer was too long to be shown whole; ask for less"


class Answered(Protocol):
    """What came of a task."""

    @property
    def content(self) -> str:
        """What the other agent said."""
        ...

    @property
    def error(self) -> str | None:
        """Why it could not be done."""
        ...

    @property
    def session_id(self) -> str:
        """Where it was done."""
        ...

    @property
    def marks(self) -> Marks:
        """What was read for it."""
        ...


class Dispatcher(Protocol):
    """Carries a task to an agent, and its answer back."""

    async def dispatch(self, context: ToolContext, agent_id: str, task: str) -> Answered:
        """Give the task, once for one `context.key`, and wait for what comes of it.

        Raises:
            ToolError: this agent may not be called, in words.
        """
        ...


class Callee(Protocol):
    """An agent that may be called."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def description(self) -> str:
        """What it is for."""
        ...


def create_dispatch_tool(dispatcher: Dispatcher) -> Tool:
    """Return subagent_dispatch."""

    # Keyed: the same call again finds the same task, running or finished.
    @tool(effect=Effect.KEYED)
    async def subagent_dispatch(
        agent_id: Annotated[str, Field(description="Which agent.", min_length=1)],
        task: Annotated[
            str, Field(description="What to do. It knows nothing of this conversation: say all it needs.", min_length=1)
        ],
        context: ToolContext,
    ) -> str:
        """Give a task to another agent and wait for its answer. Several calls in one step run side by side."""
        answered = await dispatcher.dispatch(context, agent_id, task)
        context.noted.update(answered.marks)
        if answered.error is not None:
            raise ToolError(f"{agent_id} did not finish: {answered.error}. It said: {answered.content}")
        return _json(answered)

    return replace(subagent_dispatch, patient=True)


def addressed(dispatch: Tool, callees: Iterable[Callee]) -> Tool:
    """Return the tool as it is described to an agent that may call `callees`."""
    lines = [f"- {each.id}: {shorten(each.description, _DESCRIBED)}".rstrip(": ") for each in callees]
    return replace(dispatch, description="\n".join([dispatch.description, "Agents:", *lines]))


def _json(answered: Answered) -> str:
    room = LIMIT
    while True:  # what JSON escapes takes more room than it had
        result = cap(answered.content, room, rest=_REST)
        text = json.dumps({"result": result, "session_id": answered.session_id}, ensure_ascii=False)
        if len(text) <= LIMIT:
            return text
        room -= max(len(text) - LIMIT, 1_000)
