"""Whether a value fits a JSON schema, as far as a tool's input needs it.

Promises to say no to what is plainly wrong: types, required and unknown keys, enumerations, lengths, patterns. Knows no
references and no formats: what it does not know, it lets pass.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

_TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (Mapping,),
    "array": (list, tuple),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def fits(schema: Mapping[str, Any], value: object) -> bool:
    """Return whether `value` is as `schema` wants it."""
    for union in ("anyOf", "oneOf"):
        choices: Sequence[Mapping[str, Any]] | None = schema.get(union)
        if choices is not None and not any(fits(choice, value) for choice in choices):
            return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "const" in schema and value != schema["const"]:
        return False
    if not _is_of(schema.get("type"), value):
        return False
    if isinstance(value, str):
        return _text_fits(schema, value)
    return _object_fits(schema, cast("Mapping[str, Any]", value)) if isinstance(value, Mapping) else True


def _is_of(kind: object, value: object) -> bool:
    kinds: Sequence[object] = cast("list[object]", kind) if isinstance(kind, list) else [kind]
    if kind is None:
        return True
    if isinstance(value, bool):
        return "boolean" in kinds
    return any(isinstance(value, _TYPES.get(str(each), (object,))) for each in kinds)


def _text_fits(schema: Mapping[str, Any], text: str) -> bool:
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        return False
    try:
        return re.search(schema.get("pattern", ""), text) is not None
    except re.error:  # a pattern in the dialect of another language
        return True


def _object_fits(schema: Mapping[str, Any], value: Mapping[str, Any]) -> bool:
    known: Mapping[str, Any] = schema.get("properties", {})
    if not all(key in value for key in schema.get("required", ())):
        return False
    if schema.get("additionalProperties") is False and not all(key in known for key in value):
        return False
    return all(fits(known[key], item) for key, item in value.items() if isinstance(known.get(key), Mapping))
