"""A model that speaks while the test listens: piece by piece, when it is told to."""

import asyncio
from collections.abc import AsyncGenerator
from itertools import count
from typing import Any

from picklebot.core.messages import Message
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest, TextChunk
from picklebot.testing.model import USAGE


class Speaker:
    """Says what `say` was given, until `end` or `call`. What is told before it is asked, it says when it is."""

    name = "speaker"

    def __init__(self) -> None:
        self._pieces: asyncio.Queue[str | list[dict[str, Any]]] = asyncio.Queue()
        self._calls = count()
        self.requests: list[ModelRequest] = []

    def say(self, text: str) -> None:
        """Speak a piece of the reply."""
        self._pieces.put_nowait(text)

    def call(self, tool: str, **given: Any) -> None:
        """End this step by calling a tool."""
        block = {"type": "tool_use", "id": f"call-{next(self._calls)}", "name": tool, "input": given}
        self._pieces.put_nowait([block])

    def end(self) -> None:
        """End the reply."""
        self._pieces.put_nowait([])

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        self.requests.append(request)
        text = ""
        while isinstance(piece := await self._pieces.get(), str):
            text += piece
            yield TextChunk(piece)
        blocks = [*([{"type": "text", "text": text}] if text else []), *piece]
        stop_reason = "tool_use" if piece else "end_turn"
        yield ModelReply(
            message=Message("assistant", tuple(blocks)), stop_reason=stop_reason, usage=USAGE, model=self.name
        )

    async def aclose(self) -> None: ...
