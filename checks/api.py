"""Writes docs/api.md: every route of the gateway and every frame of its WebSocket, read from the code.

Promises that the page is made from the table that is served. Knows no handler.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from checks.markdown import table
from picklebot.gateway import openapi
from picklebot.gateway.endpoint import Access, Endpoint

PAGE = Path("docs/api.md")
_HEAD = """\
# API

Made from the code by `make docs`; what is written here by hand is lost. [The gateway](gateway.md) says how to use it.
The running daemon answers `GET /api/openapi.json` with the same as an OpenAPI document, the WebSockets as AsyncAPI
inside.

Answers are JSON; further fields may stand beside those that are named here. Whatever is no success is
`{"error": {"code": "...", "message": "..."}}`: `code` is for programs, `message` for people.
"""
_WHO = {
    Access.HOLDER: "",
    Access.BEARER: "Takes the token itself, not a login.",
    Access.OPEN: "Needs no token.",
    Access.OWN: "Checks a secret of its own.",
}
_SPOKEN = {
    "/ws": "What may be sent over `/ws`, and what is sent back.",
    "/ws/terminal": (
        "Where `picklebot chat` and `ask` join. It is theirs: both ends are of one version, and a change counts "
        "`protocol` up. Programs use `/ws`. AcceptedShown, EventShown and ErrorShown are received here too."
    ),
}


def build(endpoints: Sequence[Endpoint]) -> str:
    """Return the page."""
    parts = [_HEAD, "## Routes", table(("route", "what it does"), [_line(each) for each in endpoints])]
    for each in endpoints:
        parts += _route(each)
    told: set[type[BaseModel]] = set()
    for speech in openapi.SPEECHES:
        parts += [f"## Frames of {speech.path}", _SPOKEN[speech.path]]
        for way, models in (("sent", speech.heard), ("received", speech.told)):
            for model in (each for each in models if each not in told):
                parts += [f"### {way}: {model.__name__}", _says(model), table(("field", "is", ""), _fields(model))]
        told.update(speech.told)
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _line(each: Endpoint) -> tuple[str, str]:
    name = f"{each.method} {each.path}"
    anchor = re.sub(r"[^\w\- ]", "", name.lower()).replace(" ", "-")
    return f"[`{name}`](#{anchor})", each.summary


def _route(each: Endpoint) -> Iterator[str]:
    yield f"### {each.method} {each.path}"
    yield " ".join(filter(None, (each.summary, _WHO[each.access])))
    if rows := list(_fields(each.query)):
        yield table(("parameter", "is", ""), rows)
    if each.body is not None:
        yield f"Body: {_says(each.body)}"
        yield table(("field", "is", ""), _fields(each.body))
    if each.shape is not None:
        shape = ", ".join(f"`{name}`" for name in each.shape.model_fields)
        also = "".join(f" {status}: {words}" for status, words in each.also.items())
        yield f"{each.status}: {_says(each.shape)} {shape}.{also}"


def _fields(model: type[BaseModel]) -> Iterable[tuple[str, str, str]]:
    schema = model.model_json_schema()
    for name, shape in schema.get("properties", {}).items():
        needed = "needed" if name in schema.get("required", ()) else ""
        words = ", ".join(filter(None, (needed, str(shape.get("description", "")))))
        yield f"`{name}`", _type(shape), words


def _type(shape: Mapping[str, Any]) -> str:
    match shape:
        case {"const": value}:
            return f"`{value}`"
        case {"enum": choices}:
            return ", ".join(f"`{choice}`" for choice in choices)
        case {"anyOf": choices}:
            return " or ".join(_type(each) for each in choices)
        case {"type": kind}:
            return str(kind)
        case _:
            return "any"


def _says(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split())
