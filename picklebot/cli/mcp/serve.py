"""The vendor's MCP server, held at arm's length: which tools there are, and calling them.

Promises that an error of ours reaches the program as a result in words, and that nothing reaches it by another way.
Knows no daemon.
"""

import asyncio
import re
from collections.abc import Sequence
from typing import Any, cast

from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)
from pydantic import ValidationError

from picklebot import __version__
from picklebot.cli.mcp.asking import Caller
from picklebot.cli.mcp.pipes import standard_streams
from picklebot.cli.mcp.tools import Offered, Told
from picklebot.errors import PicklebotError

NOBODY = "mcp"
INSTRUCTIONS = (
    "picklebot is its user's own agent daemon. Ask its agents with ask_agent; what they have written down is found with "
    "search_memory."
)


class Desk:
    """Answers one program."""

    def __init__(self, tools: Sequence[Offered]) -> None:
        self._tools = {tool.name: tool for tool in tools}
        self._calls = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def serve(self) -> None:
        """Answer what comes in on stdin, until it ends and everything is answered."""
        server: Any = Server(
            "picklebot",
            version=__version__,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        async with (
            standard_streams(self._idle.wait) as (lines, out),
            stdio_server(stdin=cast("Any", lines), stdout=cast("Any", out)) as (incoming, outgoing),
        ):
            await server.run(incoming, outgoing, server.create_initialization_options())

    async def _list(self, context: Any, params: PaginatedRequestParams | None) -> ListToolsResult:
        return ListToolsResult(tools=[_described(tool) for tool in self._tools.values()])

    async def _call(self, context: Any, params: CallToolRequestParams) -> CallToolResult:
        self._calls += 1
        self._idle.clear()
        try:
            told = await self._answer(context, params)
        except PicklebotError as exc:
            told = Told(text=str(exc), is_error=True)
        finally:
            self._calls -= 1
            if not self._calls:
                self._idle.set()
        return CallToolResult(
            content=[TextContent(text=told.text)],
            structured_content=dict(told.more) if told.more is not None else None,
            is_error=told.is_error,
        )

    async def _answer(self, context: Any, params: CallToolRequestParams) -> Told:
        tool = self._tools.get(params.name)
        if tool is None:
            raise PicklebotError(f"there is no tool {params.name[:64]!r}; there are: {', '.join(self._tools)}")
        try:
            given = tool.given.model_validate(params.arguments or {})
        except ValidationError as exc:
            raise PicklebotError(_mistakes(exc)) from exc
        return await tool.run(given, _caller(context))


def _described(tool: Offered) -> Tool:
    schema = tool.given.model_json_schema()
    schema.pop("description", None)
    return Tool(
        name=tool.name,
        description=tool.description,
        input_schema=schema,
        annotations=ToolAnnotations.model_validate(tool.hints),
    )


def _caller(context: Any) -> Caller:
    """Return who asks: the program by the name that it gave itself."""
    params = context.session.client_params
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", params.client_info.name if params else "").strip("-")[:48]
    told = 0

    async def notify(words: str) -> None:
        nonlocal told
        told += 1
        await context.session.report_progress(float(told), None, words)

    return Caller(client=f"{NOBODY}-{name}" if name else NOBODY, request=str(context.request_id), notify=notify)


def _mistakes(exc: ValidationError) -> str:
    told = [f"{'.'.join(map(str, each['loc'])) or 'the input'}: {each['msg']}" for each in exc.errors()[:3]]
    return "; ".join(told)[:1000]
