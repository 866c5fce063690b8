"""The windows of models that picklebot does not know, as their endpoints list them.

Promises that nobody waits: who wants to know a window is told what is known by now, and each endpoint is asked once,
behind. One that cannot be reached is asked again when its windows are wanted again. Knows no turn.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import Protocol, cast, runtime_checkable

from picklebot.errors import ModelError, ModelUnavailable
from picklebot.models.pricing import plain_name

logger = logging.getLogger(__name__)

# The Messages API; vLLM; OpenRouter. What llama.cpp tells is the window of the training, not that of the server.
_FIELDS = ("max_input_tokens", "max_model_len", "context_length")


@runtime_checkable
class Lists(Protocol):
    """A model whose endpoint lists models."""

    async def list_windows(self) -> Mapping[str, int]:
        """Return the windows of those that it says one of, in tokens, by their plain names.

        Raises:
            ModelUnavailable, ModelRejected: it cannot be asked.
        """
        ...


class Windows:
    """What is known by now. Looked at from the loop; `follow` asks."""

    def __init__(self) -> None:
        self._known: dict[Lists, Mapping[str, int]] = {}
        self._wanted: set[Lists] = set()
        self._bell = asyncio.Event()

    def of(self, model: object, name: str) -> int | None:
        """Return the window of the model called `name` behind the endpoint of `model`; None if it is not known yet."""
        if not isinstance(model, Lists):
            return None
        if model not in self._known:
            self._wanted.add(model)
            self._bell.set()
            return None
        return self._known[model].get(plain_name(name))

    async def follow(self) -> None:
        """Ask the endpoints whose windows are wanted, until cancelled."""
        while True:
            await self._bell.wait()
            self._bell.clear()
            for model in tuple(self._wanted):
                await self._ask(model)
            self._wanted.clear()

    async def _ask(self, model: Lists) -> None:
        try:
            self._known[model] = await model.list_windows()
        except ModelUnavailable as exc:
            logger.info("the windows of models could not be asked for: %s", exc)
        except ModelError as exc:
            logger.info("an endpoint does not list its models: %s", exc)
            self._known[model] = {}


def windows_in(answer: object) -> dict[str, int]:
    """Return the windows in what an endpoint answered, whatever that is."""
    listed = cast("dict[str, object]", answer).get("data") if isinstance(answer, dict) else None
    rows = cast("list[object]", listed) if isinstance(listed, list) else []
    found: dict[str, int] = {}
    for row in (cast("dict[str, object]", each) for each in rows if isinstance(each, dict)):
        name = row.get("id")
        sizes = [size for field in _FIELDS if isinstance(size := row.get(field), int) and size > 0]
        if isinstance(name, str) and sizes:
            found[plain_name(name)] = sizes[0]
    return found
