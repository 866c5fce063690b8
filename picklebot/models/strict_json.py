"""JSON from a model, read as strictly as something that may be acted upon deserves.

Promises that what `loads` returns was said once and completely: no duplicate keys, no NaN, no number or nesting
large enough to hurt later. Knows no schema, and nothing of what the value is for.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable
from typing import Any, NoReturn

MAX_DIGITS = 1_000  #: of one whole number

_SKELETON = re.compile(r'"(?:[^"\\]|\\.)*+"?|[^\[\]{}"]+', re.DOTALL)


def loads(text: str, *, max_bytes: int, max_depth: int) -> object:
    """Parse `text`, refusing whatever the standard library would let pass.

    Raises:
        ValueError: with a plain reason, if it is too large, too deep, ambiguous, or not JSON.
    """
    if len(text) > max_bytes or (not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > max_bytes):
        raise ValueError(f"it is larger than {max_bytes:,} bytes")
    _check_depth(text, max_depth)
    try:
        return _decoder.decode(text)
    except json.JSONDecodeError as exc:
        raise ValueError(f"it is not valid JSON: {exc.msg} at character {exc.pos}") from exc


def _check_depth(text: str, max_depth: int) -> None:
    """Count brackets before parsing: the parser recurses, and a deep text would end in its RecursionError."""
    if text.count("[") + text.count("{") <= max_depth:
        return
    depth = 0
    for bracket in _SKELETON.sub("", text):
        depth += 1 if bracket in "[{" else -1
        if depth > max_depth:
            raise ValueError(f"it is nested more than {max_depth} deep")


def _object(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    items = list(pairs)
    value = dict(items)
    if len(value) < len(items):
        twice, _ = Counter(key for key, _ in items).most_common(1)[0]
        raise ValueError(f"the key {twice!r} stands in it twice")
    return value


def _whole(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"it holds a number of {len(digits):,} digits")
    return int(digits)


def _decimal(digits: str) -> float:
    if len(digits) > MAX_DIGITS or math.isinf(value := float(digits)):
        raise ValueError("it holds a number too large to keep")
    return value


def _constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_int=_whole, parse_float=_decimal, parse_constant=_constant)
