"""The tool that sends a file, as a model sees it.

Promises that one call sends once, however often its turn is resumed. Knows only the narrow seam below.
"""

from typing import Annotated, Protocol

from pydantic import Field

from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool

MAX_CAPTION = 1000  #: characters


class Sender(Protocol):
    """What puts files on their way."""

    async def send_file(self, path: str, caption: str, context: ToolContext) -> str:
        """Put a file on its way, once for the call; return where it goes.

        Raises:
            ValueError: there is nobody to send it to, or it may not be sent.
        """
        ...


def create_send_tools(sender: Sender) -> list[Tool]:
    """Return send_file."""

    @tool(effect=Effect.KEYED)
    async def send_file(
        path: Annotated[str, Field(description="A file of the workspace.", min_length=1, max_length=1000)],
        context: ToolContext,
        caption: Annotated[str, Field(description="What it is, in a line.", max_length=MAX_CAPTION)] = "",
    ) -> str:
        """Send the user a file, at most 20 MB. It arrives before your reply; a terminal is told its path."""
        try:
            return f"{path} is on its way to {await sender.send_file(path, caption, context)}."
        except ValueError as exc:
            raise ToolError(str(exc)) from exc

    return [send_file]
