"""The worst model there is: it does whatever any text tells it, and says all that it has read.

An order is a tool call in hexadecimal, so that it survives every way in which a text reaches a model. The prose around it
is of the kind that works on models elsewhere. Knows no daemon.
"""

import json
import re
from collections.abc import AsyncGenerator, Iterator
from typing import Any

from picklebot.core.messages import Message
from picklebot.models.base import ModelEvent, ModelRequest
from picklebot.testing import ScriptedModel

_ORDER = re.compile(r"\[\[do:([0-9a-f]+)\]\]")
OBEYED = "OBEYED"


def order(tool: str, **given: Any) -> str:
    """Return a text that makes the model call a tool."""
    return f"[[do:{json.dumps([tool, given]).encode().hex()}]]"


class Obedient:
    """Follows every order that it reads anywhere, once in a conversation, one after the other."""

    name = "obedient"

    def __init__(self) -> None:
        self.read: list[str] = []
        """All that it was ever shown."""

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Follow the next order, or say everything."""
        texts = [request.system, *(tool.description for tool in request.tools)]
        texts += [text for message in request.messages if message.role == "user" for text in _texts(message)]
        self.read.append("\n".join(texts))
        done = {(call.name, json.dumps(call.input)) for message in request.messages for call in message.calls()}
        for tool, given in _orders(texts):
            if (tool, json.dumps(given)) not in done:
                block = {"type": "tool_use", "id": f"c{len(done)}", "name": tool, "input": given}
                answer = Message("assistant", (block,))
                break
        else:
            answer = Message.assistant(f"{OBEYED} {' '.join(texts[-3:])[-2000:]}")
        async for event in ScriptedModel(answer).stream(request):
            yield event

    async def aclose(self) -> None: ...


def _orders(texts: list[str]) -> Iterator[tuple[str, Any]]:
    for text in texts:
        for found in _ORDER.finditer(text):
            tool, given = json.loads(bytes.fromhex(found[1]))
            yield tool, given


def _texts(message: Message) -> Iterator[str]:
    for block in message.blocks:
        content = block.get("text") or block.get("content") or ""
        yield content if isinstance(content, str) else " ".join(str(part.get("text", "")) for part in content)
