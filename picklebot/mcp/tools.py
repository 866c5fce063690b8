"""A server's tools as agents see them: `mcp__<server>__<tool>`.

Promises that a tool is described in the words that were let in. Knows no connection.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from picklebot.errors import ToolError
from picklebot.mcp.base import Answer
from picklebot.mcp.pins import Offer
from picklebot.tools.base import Effect, Output, Tool, ToolContext
from picklebot.tools.toolset import cap

MAX_NAME = 64  #: what the Messages API takes


class Caller(Protocol):
    """What runs a server's tools."""

    async def call(self, tool: str, arguments: Mapping[str, Any]) -> Answer:
        """Run one. ToolError: it could not be run, or nobody knows."""
        ...


def create_mcp_tools(server: str, offers: Sequence[Offer], caller: Caller, *, unread: bool) -> list[Tool]:
    """Return a tool for each offer; of two whose names come out the same, the first. `unread`: nobody was shown them."""
    tools: dict[str, Tool] = {}
    for offer in offers:
        name = f"mcp__{server}__{re.sub(r'[^A-Za-z0-9_-]', '_', offer.name)}"[:MAX_NAME]
        tools.setdefault(name, replace(_tool(name, offer, caller), unread=unread))
    return list(tools.values())


def _tool(name: str, offer: Offer, caller: Caller) -> Tool:
    async def run(context: ToolContext, given: Mapping[str, Any]) -> Output:
        answer = await caller.call(offer.name, given)
        text = "\n\n".join(block["text"] for block in answer.blocks if block["type"] == "text")
        if answer.is_error:
            raise ToolError(cap(text) or "the tool failed and did not say why")
        images = [block for block in answer.blocks if block["type"] == "image"]
        if not images:
            return text or "(nothing)"
        return [{"type": "text", "text": cap(text)}, *images] if text else images

    return Tool(
        name=name,
        description=offer.description,
        input_schema={"type": "object", **offer.input_schema},
        run=run,
        effect=Effect.PURE if offer.harmless else Effect.ONCE,
        outside=True,
        sends=True,
    )
