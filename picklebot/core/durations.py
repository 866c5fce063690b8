"""Durations as people write them: `90`, `30s`, `1h30m`, `2d`.

Promises seconds, finite and not negative. Knows no clock.
"""

import math
import re

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(ms|[smhdw])\s*")
_WHOLE = re.compile(rf"(?:{_PART.pattern})+")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MAX_LENGTH = 64


def parse_duration(value: str | int | float) -> float:
    """Return seconds; accepts 90, "90", "30s", "1h30m", "2d".

    Raises:
        ValueError: if it is negative, not finite, or not written that way; the message shows how.
    """
    seconds = _from_text(value) if isinstance(value, str) else _from_number(value)
    if seconds is None:
        shown = repr(value if len(str(value)) <= _MAX_LENGTH else str(value)[:_MAX_LENGTH] + "…")
        raise ValueError(
            f"{shown} is no duration: write seconds, or numbers with ms, s, m, h, d or w, such as '30s' or '1h30m'"
        )
    return seconds


def _from_number(number: float) -> float | None:
    # `True` is a number to Python, and a slip of the pen to whoever wrote it.
    if isinstance(number, bool) or not 0 <= number <= 1e15:
        return None
    return float(number) if math.isfinite(number) else None


def _from_text(text: str) -> float | None:
    text = text.strip().lower()
    if len(text) > _MAX_LENGTH:
        return None
    if _NUMBER.fullmatch(text):
        return _from_number(float(text))
    if not _WHOLE.fullmatch(text):
        return None
    return _from_number(sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text)))
