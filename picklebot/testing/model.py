"""A model that says what the test wrote.

Promises one line of the script a request, in order, and that running out of lines is an error that shows the request.
Knows no network; for a model over HTTP there is `picklebot.testing.messages_api`.
"""

import inspect
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator
from typing import TypeAlias

from picklebot.core.messages import Message
from picklebot.core.text import shorten
from picklebot.models.base import ModelEvent, ModelReply, ModelRequest, TextChunk, ThinkingChunk, Usage

PIECES = 3  #: into how many chunks a text is cut
USAGE = Usage(input_tokens=10, output_tokens=5)  #: what every scripted answer costs

Line: TypeAlias = "str | Message | ModelReply | Exception | Callable[[ModelRequest], Line | Awaitable[Line]]"


class ScriptedModel:
    """Answers with the next line of its script, and remembers what it was asked.

    A text or a message is said, an error is raised, and a function (or coroutine function) is given the request and
    returns another line: that is how a test looks at a request, or holds an answer back.
    """

    name = "scripted"

    def __init__(self, *script: Line) -> None:
        self._script = list(script)
        self.requests: list[ModelRequest] = []
        self.closed = False

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        """Say the next line, its text in a few pieces.

        Raises:
            AssertionError: the script has no line left.
        """
        self.requests.append(request)
        reply = await self._next(request)
        for chunk in _chunks(reply.message):
            yield chunk
        yield reply

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True

    async def _next(self, request: ModelRequest) -> ModelReply:
        if not self._script:
            asked = shorten(request.messages[-1].text, 200) if request.messages else ""
            raise AssertionError(f"the script has no line for request {len(self.requests)}: {asked!r}")
        line = self._script.pop(0)
        while not isinstance(line, (str, Message, ModelReply, Exception)):
            given = line(request)
            line = await given if inspect.isawaitable(given) else given
        if isinstance(line, Exception):
            raise line
        if isinstance(line, ModelReply):
            return line
        message = Message.assistant(line) if isinstance(line, str) else line
        stop_reason = "tool_use" if message.calls() else "end_turn"
        return ModelReply(message=message, stop_reason=stop_reason, usage=USAGE, model=self.name)


def _chunks(message: Message) -> Iterator[TextChunk | ThinkingChunk]:
    for block in message.blocks:
        match block:
            case {"type": "text", "text": str(text)}:
                yield from map(TextChunk, _cut(text))
            case {"type": "thinking", "thinking": str(text)}:
                yield from map(ThinkingChunk, _cut(text))
            case _:
                pass


def _cut(text: str) -> Iterator[str]:
    size = max(1, -(-len(text) // PIECES))
    for start in range(0, len(text), size):
        yield text[start : start + size]
