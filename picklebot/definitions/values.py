"""What a person may write for a value, and what it becomes.

Promises that each function returns the value or raises `ValueError` with words for the writer of the file. The
annotated types put them into pydantic models. Knows nothing of files, lines and specs.
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from picklebot.core.durations import parse_duration

LONGEST = 10 * 366 * 86400.0  #: seconds; ten years is longer than anything here should last
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def is_id(text: str) -> bool:
    """Return whether `text` may name a definition."""
    return _ID.fullmatch(text) is not None


def nearest(name: str, known: Iterable[str], *, cutoff: float = 0.6) -> str | None:
    """Return the known name that `name` most looks like, if any does."""
    return next(iter(difflib.get_close_matches(name[:64], list(known), n=1, cutoff=cutoff)), None)


def duration(value: object) -> float:
    """Return the seconds in `30m`, `1h30m`, `0s` or a plain number of seconds."""
    seconds = parse_duration(text(value))
    if seconds > LONGEST:
        raise ValueError(f"{value!r} is no duration between 0 seconds and ten years")
    return seconds


def words(value: object) -> tuple[str, ...]:
    """Return the names in `a, b`, `a b` or a YAML list; what stands in parentheses stays together."""
    if isinstance(value, str):
        return tuple(_split(value))
    if isinstance(value, list | tuple):
        items: list[object] = list(value)  # pyright: ignore[reportUnknownArgumentType]  # narrowed from object
        return tuple(text(item) for item in items)
    raise ValueError(f"{value!r} is no list of names: write [one, two] or 'one, two'")


def _split(written: str) -> list[str]:
    found: list[str] = []
    word, depth = "", 0
    for char in written:
        depth += (char == "(") - (char == ")")
        if depth == 0 and (char == "," or char.isspace()):
            found.append(word)
            word = ""
        else:
            word += char
    if depth:
        raise ValueError(f"the parentheses in {written!r} do not match")
    return [word for word in (*found, word) if word]


def text(value: object) -> str:
    """Return a single value as it was written, without the space around it."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int | float):
        return str(value).strip()
    raise ValueError(f"{value!r} is not a single line of text")


def choice(value: object) -> object:
    """Return a word of a closed set in its one spelling: `Read_Only` is `read-only`."""
    return value.strip().lower().replace("_", "-") if isinstance(value, str) else value


def number(value: object) -> object:
    """Refuse true and false, which Python would count as 1 and 0."""
    if isinstance(value, bool):
        raise ValueError(f"{str(value).lower()!r} is not a number")  # noqa: TRY004  # pydantic lets a TypeError pass
    return value


def identity(value: object) -> str:
    """Return an id, or say what one looks like."""
    written = text(value)
    if not is_id(written):
        raise ValueError(f"{written!r} is no id: letters, digits, '-' and '_', 64 at most, a letter or digit first")
    return written


def mapping(value: object) -> dict[str, Any] | None:
    """Return `value` as a dict where it is a mapping with text for keys, else None."""
    if not isinstance(value, Mapping):
        return None
    items: Mapping[Any, Any] = value  # pyright: ignore[reportUnknownVariableType]  # narrowed from object
    return {str(key): inner for key, inner in items.items()}


Text: TypeAlias = Annotated[str, BeforeValidator(text)]
Id: TypeAlias = Annotated[str, BeforeValidator(identity)]
Words: TypeAlias = Annotated[tuple[str, ...], BeforeValidator(words)]
Whole: TypeAlias = Annotated[int, BeforeValidator(number), Field(ge=1)]
Amount: TypeAlias = Annotated[float, BeforeValidator(number), Field(ge=0, allow_inf_nan=False)]
Seconds: TypeAlias = Annotated[float, BeforeValidator(duration)]
