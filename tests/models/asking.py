"""How the tests of the adapter ask it."""

from typing import Any, Protocol

from picklebot.core.messages import Message
from picklebot.models.anthropic import AnthropicModel
from picklebot.models.base import ModelReply, ModelRequest

KEY = "sk-ant-very-secret"


class Maker(Protocol):
    def __call__(self, *, url: str | None = None, **changes: Any) -> AnthropicModel: ...


def question(*messages: Message, **fields: Any) -> ModelRequest:
    return ModelRequest(messages=messages or (Message.user("hi"),), **{"system": "be kind", **fields})


async def ask(model: AnthropicModel, /, *messages: Message, **fields: Any) -> ModelReply:
    said = [event async for event in model.stream(question(*messages, **fields))]
    assert isinstance(said[-1], ModelReply)
    return said[-1]
