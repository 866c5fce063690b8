"""What the tests of queues share: tools, a model that is held, and what it was shown."""

import asyncio

from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.testing import ScriptedModel

TOOLS = '''
import asyncio
from picklebot.tools.base import Effect
from picklebot.tools.function import tool

@tool(effect=Effect.PURE)
async def look(what: str) -> str:
    """Look at something."""
    return f"seen {what}"

@tool
async def pay() -> str:
    """Never end."""
    await asyncio.Event().wait()
'''


class Held:
    """A model's line that waits for the test."""

    def __init__(self, line: str | Message) -> None:
        self.asked, self.free, self._line = asyncio.Event(), asyncio.Event(), line

    async def __call__(self, request: ModelRequest) -> str | Message:
        self.asked.set()
        await self.free.wait()
        return self._line


def call(name: str, **given: str) -> Message:
    return Message("assistant", ({"type": "tool_use", "id": "c1", "name": name, "input": given},))


def said(model: ScriptedModel, request: int = -1) -> list[str]:
    """Return the words that the model was shown, without the contexts, each message after its role."""
    words: list[str] = []
    for message in model.requests[request].messages:
        texts = [str(b["text"]) for b in message.blocks if b["type"] == "text"]
        words.append(f"{message.role}: {' + '.join(text for text in texts if not text.startswith('<context>'))}")
    return words
