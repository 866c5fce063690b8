"""`/v1`: the models, and chat completions.

Promises that a client which sends a request again, because nobody answered it in time, gets the answer of the first
time. Knows no turn.
"""

import hashlib
import json
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from picklebot.channels.base import Incoming
from picklebot.core.ids import new_id
from picklebot.errors import PicklebotError
from picklebot.gateway.endpoint import Endpoint
from picklebot.gateway.entrance import key_of
from picklebot.gateway.openai.answer import model_of, models_of
from picklebot.gateway.openai.completions import Completion, Desk, refuse, refused_as
from picklebot.gateway.openai.conversation import Conversations
from picklebot.gateway.openai.request import Refusal, read
from picklebot.gateway.refusals import reply

REMEMBERED = 1000  #: requests whose key is kept, for clients that send them again
MAX_KEY = 200


class Model(BaseModel):
    """An agent, as a model."""

    id: str
    object: str
    created: int
    owned_by: str


class Models(BaseModel):
    """All of them."""

    object: str
    data: list[Model]


class Completed(BaseModel):
    """A chat completion of OpenAI's API."""

    model_config = ConfigDict(extra="allow")

    id: str
    object: str
    created: int
    model: str


class OpenAI:
    """The routes."""

    def __init__(self, *, desk: Desk, conversations: Conversations, agents: Callable[[], Sequence[str]]) -> None:
        """`agents` returns the ids of the agents that there are now."""
        self._desk = desk
        self._conversations = conversations
        self._agents = agents
        self._created = int(desk.watch.now().timestamp())
        self._keys: OrderedDict[str, str] = OrderedDict()

    def endpoints(self) -> Sequence[Endpoint]:
        """Return the routes."""
        return [
            Endpoint(
                method="GET",
                path="/v1/models",
                answer=self._list,
                summary="The agents, as the models of OpenAI's API.",
                shape=Models,
                tag="openai",
            ),
            Endpoint(
                method="GET",
                path="/v1/models/{model}",
                answer=self._show,
                summary="One agent, as a model.",
                shape=Model,
                also={404: "No agent has that id."},
                tag="openai",
            ),
            Endpoint(
                method="POST",
                path="/v1/chat/completions",
                answer=self._complete,
                summary="Say something to an agent, as a chat completion of OpenAI's API, streamed or not.",
                shape=Completed,
                also={404: "No agent has that id.", 429: "A queue is full, or a budget is spent."},
                tag="openai",
            ),
        ]

    async def _list(self, request: Request) -> Response:
        return reply(models_of(self._agents(), self._created))

    async def _show(self, request: Request) -> Response:
        model = str(request.path_params["model"])
        if model not in self._agents():
            return refuse(_unknown(model))
        return reply(model_of(model, self._created))

    async def _complete(self, request: Request) -> Response:
        try:
            raw = await request.body()
            asked = read(_json(raw))
            if asked.model not in self._agents():
                raise _unknown(asked.model)
            placed = await self._conversations.place(asked, request.headers)
            key = self._key(request, raw)
        except Refusal as exc:
            return refuse(exc)
        except PicklebotError as exc:
            return refuse(refused_as(exc))
        incoming = Incoming(
            source=placed.source,
            content=placed.content,
            key=key_of("openai", key),
            agent=asked.model,
            session=placed.session,
            new_session=placed.session is None,
        )
        return Completion(asked, incoming, self._desk)

    def _key(self, request: Request, raw: bytes) -> str:
        """Return the key of a request: its own, else that of the attempt which it repeats, else a new one."""
        given = request.headers.getlist("idempotency-key")
        if given:
            if len(given) > 1 or not 0 < len(given[0]) <= MAX_KEY:
                raise Refusal(400, f"Idempotency-Key: give one, of 1 to {MAX_KEY} characters")
            return f"given-{given[0]}"
        body = hashlib.sha256(raw).hexdigest()
        known = self._keys.get(body) if _repeats(request) else None
        self._keys[body] = key = known or f"made-{new_id()}"
        self._keys.move_to_end(body)
        if len(self._keys) > REMEMBERED:
            self._keys.popitem(last=False)
        return key


def _repeats(request: Request) -> bool:
    """Return whether a client says that it sends this again by itself: the openai clients count how often."""
    return request.headers.get("x-stainless-retry-count", "0") != "0"


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise Refusal(400, "the body is no JSON") from exc


def _unknown(model: str) -> Refusal:
    words = f"no agent is called {model[:64]!r}: GET /v1/models lists them"
    return Refusal(404, words, code="model_not_found", param="model")
