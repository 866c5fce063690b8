"""read_result, as a model sees it: what was cut out of its sight can be seen again. Knows only the narrow seam below."""

from collections.abc import Sequence
from typing import Annotated, Protocol

from pydantic import Field

from picklebot.core.messages import Block, ToolResult
from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool

NAME = "read_result"


class Results(Protocol):
    """Remembers what came of every call."""

    async def result(self, session_id: str, call_id: str) -> ToolResult | None:
        """Return what came of a call in this session; None: nothing is known of it."""
        ...


def create_result_tools(results: Results) -> list[Tool]:
    """Return read_result."""

    @tool(effect=Effect.PURE)
    async def read_result(
        call_id: Annotated[str, Field(description="The id that stands where the result was cut.", min_length=1)],
        context: ToolContext,
        offset: Annotated[int, Field(description="The character to begin at.", ge=0)] = 0,
    ) -> str | Sequence[Block]:
        """See a long tool result again that was cut short in this conversation to save room."""
        found = await results.result(context.session_id, call_id)
        if found is None:
            raise ToolError(f"there is no result of a call {call_id!r} in this conversation")
        context.noted.update(found.marks)  # whoever reads it again has read the same
        if not isinstance(found.content, str):
            return found.content
        if offset >= len(found.content) > 0:
            raise ToolError(f"the result has {len(found.content):,} characters, none at {offset:,}")
        return found.content[offset:]

    return [read_result]
