"""Checking a tool's input against a schema that came from elsewhere.

Promises to refuse what breaks `type`, `enum`, `const`, `required`, `properties`, `additionalProperties`, `items` and
`anyOf`. Every other keyword is the tool's own business. Knows no tool.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from picklebot.errors import ToolError

MAX_DEPTH = 32
_SHOWN = 5  # problems told at once

_TYPES: Mapping[str, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, Mapping),
    "array": lambda value: isinstance(value, list | tuple),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool)) or (isinstance(value, float) and value.is_integer())
    ),
}


def validate(schema: Mapping[str, Any], given: Mapping[str, Any]) -> None:
    """Check `given` against `schema`.

    Raises:
        ToolError: listing in words what does not fit.
    """
    problems = list(_problems(schema, given, "", 0))
    if problems:
        more = f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise ToolError(f"the input does not fit: {'; '.join(problems[:_SHOWN])}{more}")


def _problems(schema: object, value: object, place: str, depth: int) -> Iterator[str]:
    name = _name(place)
    if schema is False:
        yield f"{name} is not allowed"
    if not isinstance(schema, Mapping):
        return
    if depth > MAX_DEPTH:
        yield f"{name} is nested too deeply"
        return
    rules = cast("Mapping[str, Any]", schema)
    types = _type_names(rules.get("type"))
    if types and not any(_TYPES[kind](value) for kind in types):
        yield f"{name} must be {' or '.join(types)}"
        return
    if (allowed := _choices(rules)) is not None and not any(_same(value, choice) for choice in allowed):
        yield f"{name} must be one of {', '.join(json.dumps(choice) for choice in allowed)}"
    yield from _in_branches(rules, value, place, depth)
    if isinstance(value, Mapping):
        yield from _in_object(rules, cast("Mapping[str, Any]", value), place, depth)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(cast("Sequence[object]", value)):
            yield from _problems(rules.get("items", True), item, f"{place}[{index}]", depth + 1)


def _in_branches(rules: Mapping[str, Any], value: object, place: str, depth: int) -> Iterator[str]:
    branches = rules.get("anyOf")
    if isinstance(branches, list) and branches:
        tried = [list(_problems(branch, value, place, depth + 1)) for branch in cast("list[object]", branches)]
        if all(tried):
            yield f"{_name(place)} fits none of its forms: {tried[0][0]}"


def _in_object(rules: Mapping[str, Any], value: Mapping[str, Any], place: str, depth: int) -> Iterator[str]:
    known: Mapping[str, Any] = rules.get("properties") or {}
    for name in rules.get("required") or ():
        if name not in value:
            yield f"{_below(place, name)!r} is missing"
    others = rules.get("additionalProperties", True)
    for name, inner in value.items():
        if name not in known and others is False:
            yield f"there is no {_below(place, name)!r}; there are: {', '.join(known) or 'no parameters'}"
        else:
            yield from _problems(known.get(name, others), inner, _below(place, name), depth + 1)


def _name(place: str) -> str:
    return repr(place) if place else "the input"


def _below(place: str, name: str) -> str:
    return f"{place}.{name}" if place else name


def _type_names(written: object) -> list[str]:
    """Return the types that a schema names; none where it names one that we do not know."""
    names = cast("list[object]", written) if isinstance(written, list) else [written]
    known = [name for name in names if isinstance(name, str) and name in _TYPES]
    return known if len(known) == len(names) else []


def _choices(rules: Mapping[str, Any]) -> Sequence[object] | None:
    if "const" in rules:
        return [rules["const"]]
    choices = rules.get("enum")
    return cast("Sequence[object]", choices) if isinstance(choices, list) else None


def _same(value: object, choice: object) -> bool:
    """Return whether they are the same JSON value: to Python, true is also 1."""
    return value == choice and isinstance(value, bool) == isinstance(choice, bool)
