"""What clients of the OpenAI-compatible API say, and models that wait to answer."""

import asyncio
from typing import Any

import openai

from picklebot.core.messages import Message
from picklebot.models.base import ModelRequest
from picklebot.testing import ScriptedModel
from picklebot.testing.model import Line
from tests.gateway.conftest import Site


def user(text: object) -> dict[str, Any]:
    return {"role": "user", "content": text}


def assistant(text: str) -> dict[str, Any]:
    return {"role": "assistant", "content": text}


def system(text: str) -> dict[str, Any]:
    return {"role": "system", "content": text}


def calls(tool: str, **given: object) -> Message:
    blocks: list[dict[str, Any]] = [
        {"type": "text", "text": "Let me see."},
        {"type": "tool_use", "id": "c1", "name": tool, "input": given},
    ]
    return Message("assistant", tuple(blocks))


class Held:
    """A line that is said once `go` is set; `asked` is set as soon as the model is asked for it."""

    def __init__(self, line: Line) -> None:
        self.asked = asyncio.Event()
        self.go = asyncio.Event()
        self._line = line

    async def __call__(self, request: ModelRequest) -> Line:
        self.asked.set()
        await self.go.wait()
        return self._line


async def complete(client: openai.AsyncOpenAI, *messages: dict[str, Any], model: str = "echo", **more: Any) -> Any:
    given: dict[str, Any] = {"model": model, "messages": list(messages), **more}
    return await client.chat.completions.create(**given)


async def streamed(client: openai.AsyncOpenAI, *messages: dict[str, Any], **more: Any) -> tuple[str, Any]:
    """Return what was said, and the last chunk."""
    said, chunk = "", None
    async for chunk in await complete(client, *messages, stream=True, **more):
        said += "".join(choice.delta.content or "" for choice in chunk.choices)
        assert not any(choice.delta.tool_calls for choice in chunk.choices)
    return said, chunk


async def either(client: openai.AsyncOpenAI, *messages: dict[str, Any], stream: bool, **more: Any) -> str:
    """Return what was said, streamed or not."""
    if stream:
        return (await streamed(client, *messages, **more))[0]
    return str((await complete(client, *messages, **more)).choices[0].message.content)


def asked(model: ScriptedModel, n: int) -> str:
    """Return all that the model has read in request `n`."""
    return "\n".join(message.text for message in model.requests[n].messages)


async def sessions(site: Site) -> int:
    return len(await site.app.store.sessions.recent(limit=100))
