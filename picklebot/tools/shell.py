"""The shell tool, as a model sees it; the command runs in the session's tool process.

Promises a time limit on every command. Runs nothing itself.
"""

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from picklebot.tools.base import Tool, ToolContext
from picklebot.tools.files import note_strangers
from picklebot.tools.function import reach, tool
from picklebot.tools.hosts import ToolHosts

SECONDS = 60.0
MAX_SECONDS = 600.0


def create_shell_tools(
    hosts: ToolHosts,
    *,
    seconds: float = SECONDS,
    max_seconds: float = MAX_SECONDS,
    network: bool = False,
    reachable: Sequence[str] = (),
) -> list[Tool]:
    """Return bash. A command gets `seconds` unless it asks for more, up to `max_seconds`.

    `network`: it reaches all of it; `reachable`: these hosts, through a proxy.
    """
    most = max(seconds, max_seconds)
    over = (
        f" It reaches {', '.join(reachable)} over HTTP, by the proxy in its environment, and no other host."
        if reachable
        else ""
    )

    @reach(private=True, sends=network or bool(reachable))
    @tool(
        description=(
            "Run a command with bash in the workspace, and return what it wrote, stdout and stderr in order. stdin is "
            "empty. Nothing that it starts goes on running after it. "
            f"It is stopped after {seconds:g} seconds, unless timeout says otherwise.{over}"
        )
    )
    async def bash(
        command: Annotated[str, Field(description="The command line; several lines are a script.", min_length=1)],
        context: ToolContext,
        timeout: Annotated[float, Field(description=f"Seconds, at most {most:g}.", gt=0)] | None = None,  # noqa: ASYNC109  # the model's word for it
    ) -> str:
        given = {"command": command}
        said = await hosts.call(
            context.session_id, "bash", given, seconds=min(timeout or seconds, most), sandbox=context.sandbox
        )
        note_strangers(context, command, said)
        return said

    return [bash]
