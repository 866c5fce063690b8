"""The API described: an OpenAPI document of the routes, with an AsyncAPI one of the WebSockets inside.

Promises that it is made from the very table that is served, and from the very models that read what is sent. Knows no
handler.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from picklebot import __version__
from picklebot.gateway import frames
from picklebot.gateway.endpoint import Access, Endpoint
from picklebot.gateway.refusals import reply
from picklebot.gateway.terminals import shown as terminal
from picklebot.gateway.terminals.frames import PATH

_PARAMETER = re.compile(r"\{(\w+)(?::\w+)?\}")
_REFERENCE = "#/components/schemas/{model}"
_SAYS = {
    Access.HOLDER: "",
    Access.BEARER: " Takes the token itself, not a login.",
    Access.OPEN: " Needs no token.",
    Access.OWN: " Checks a secret of its own.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Speech:
    """What is spoken over one WebSocket: `heard` from its client, and `told` to it."""

    name: str
    path: str
    heard: Sequence[type[BaseModel]]
    told: Sequence[type[BaseModel]]


SPEECHES = (
    Speech(
        name="ws",
        path="/ws",
        heard=(frames.MessageFrame, frames.SubscribeFrame, frames.StopFrame, frames.PingFrame),
        told=(frames.AcceptedShown, frames.EventShown, frames.ErrorShown, frames.PongShown),
    ),
    Speech(name="terminal", path=PATH, heard=terminal.CLIENT_FRAMES, told=terminal.SERVER_FRAMES),
)


class Wrong(BaseModel):
    """What was wrong: `code` for programs, `message` for people."""

    code: str
    message: str


class Problem(BaseModel):
    """Every answer that is no success."""

    error: Wrong


class Description:
    """Answers `/api/openapi.json`."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self.endpoints = [
            *endpoints,
            Endpoint(
                method="GET",
                path="/api/openapi.json",
                answer=self._answer,
                summary="This description.",
            ),
        ]
        self._document: dict[str, Any] | None = None

    async def _answer(self, request: Request) -> Response:
        return reply(self.document())

    def document(self) -> dict[str, Any]:
        """Return the description, made when it is first asked for."""
        if self._document is None:
            self._document = describe(self.endpoints)
        return self._document


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """Return an OpenAPI 3.1 document of `endpoints`."""
    paths: dict[str, dict[str, Any]] = {}
    for each in endpoints:
        paths.setdefault(_PARAMETER.sub(r"{\1}", each.path), {})[each.method.lower()] = _operation(each)
    return {
        "openapi": "3.1.0",
        "info": {"title": "picklebot", "version": __version__},
        "security": [{"bearer": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
            "schemas": _schemas(_models(endpoints)),
        },
        "x-asyncapi": _asyncapi(),
    }


def _operation(each: Endpoint) -> dict[str, Any]:
    found: dict[str, Any] = {
        "summary": each.summary + _SAYS[each.access],
        "tags": [each.tag],
        "parameters": [*_path_parameters(each), *_query_parameters(each)],
        "responses": {
            **{str(status): _also(each, status, words) for status, words in each.also.items()},
            str(each.status): {"description": "Success.", **_content(each)},
            "4XX": {"description": "Refused.", "content": _json(Problem)},
            "503": {"description": "Not now.", "content": _json(Problem)},
        },
    }
    if each.body is not None:
        found["requestBody"] = {"required": True, "content": _json(each.body)}
    if each.access in {Access.OPEN, Access.OWN}:
        found["security"] = []
    return found


def _also(each: Endpoint, status: int, words: str) -> dict[str, Any]:
    return {"description": words, **(_content(each) if status < 400 else {"content": _json(Problem)})}


def _content(each: Endpoint) -> dict[str, Any]:
    if each.shape is not None:
        return {"content": _json(each.shape)}
    return {"content": {each.media: {}}} if each.media else {}


def _json(model: type[BaseModel]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCE.format(model=model.__name__)}}}


def _path_parameters(each: Endpoint) -> Iterator[dict[str, Any]]:
    for name in _PARAMETER.findall(each.path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _query_parameters(each: Endpoint) -> Iterator[dict[str, Any]]:
    schema = each.query.model_json_schema()
    for name, shape in schema.get("properties", {}).items():
        yield {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", ()),
            "description": shape.pop("description", ""),
            "schema": _without_null(shape),
        }
    if each.keyed:
        key = {"type": "string", "minLength": 1, "maxLength": frames.MAX_ID}
        words = "The same key from the same client is the same message."
        yield {"name": "Idempotency-Key", "in": "header", "required": False, "description": words, "schema": key}


def _without_null(shape: dict[str, Any]) -> dict[str, Any]:
    """Return a shape without null, which no address can say: a parameter is left out instead."""
    choices = [each for each in shape.get("anyOf", ()) if each != {"type": "null"}]
    bare = {name: value for name, value in shape.items() if name not in {"anyOf", "default", "title"}}
    return {**bare, **choices[0]} if len(choices) == 1 else {**bare, **({"anyOf": choices} if choices else {})}


def _models(endpoints: Sequence[Endpoint]) -> list[type[BaseModel]]:
    used = [model for each in endpoints for model in (each.body, each.shape) if model is not None]
    spoken = [model for speech in SPEECHES for model in (*speech.heard, *speech.told)]
    return list(dict.fromkeys([Problem, *used, *spoken]))


def _schemas(models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    _, found = models_json_schema([(model, "validation") for model in models], ref_template=_REFERENCE)
    return dict(found["$defs"])


def _asyncapi() -> dict[str, Any]:
    """Return an AsyncAPI 3.0 document of the WebSockets, whose schemas stand in the one around it."""
    operations: dict[str, Any] = {}
    for speech in SPEECHES:
        prefix = "" if speech is SPEECHES[0] else f"{speech.name}_"
        for word, action, models in (("say", "receive", speech.heard), ("hear", "send", speech.told)):
            operations[prefix + word] = {"action": action, **_about(speech, models)}
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "picklebot", "version": __version__},
        "channels": {each.name: {"address": each.path, "messages": _messages(each)} for each in SPEECHES},
        "operations": operations,
    }


def _messages(speech: Speech) -> dict[str, Any]:
    return {
        model.__name__: {"summary": model.__doc__, "payload": {"$ref": _REFERENCE.format(model=model.__name__)}}
        for model in (*speech.heard, *speech.told)
    }


def _about(speech: Speech, models: Sequence[type[BaseModel]]) -> dict[str, Any]:
    channel = f"#/channels/{speech.name}"
    return {
        "channel": {"$ref": channel},
        "messages": [{"$ref": f"{channel}/messages/{model.__name__}"} for model in models],
    }
