"""The tool with which an agent speaks first, as a model sees it.

Promises that only turns which nobody is waiting for may post. Knows only the narrow seam below.
"""

from typing import Annotated, Protocol

from pydantic import Field

from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool

UNASKED = frozenset({"cron", "task", "heartbeat"})  #: channels of the turns that nobody asked for just now
MAX_POST = 20_000  #: characters of one post


class Post(Protocol):
    """What takes messages out of turn."""

    async def post(self, content: str, context: ToolContext) -> str:
        """Put a message on its way, once for the call; return where it goes. ValueError: nowhere, in words."""
        ...


def create_post_tools(post: Post) -> list[Tool]:
    """Return post_message."""

    # Keyed: the message's id comes from the call's key, so that a turn which is resumed posts once.
    @tool(effect=Effect.KEYED, channels=UNASKED)
    async def post_message(
        content: Annotated[str, Field(description="What to say.", min_length=1, max_length=MAX_POST)],
        context: ToolContext,
    ) -> str:
        """Send the user a message now, for what cannot wait until your reply, or where nobody reads that."""
        if context.source.channel not in UNASKED:
            raise ToolError("post_message is for scheduled jobs and heartbeats only: here, your reply is the message")
        try:
            return f"Queued for {await post.post(content, context)}."
        except ValueError as exc:
            raise ToolError(str(exc)) from exc

    return [post_message]
