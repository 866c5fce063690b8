"""The frames that a terminal and its daemon exchange, as JSON text.

Promises that a frame which is none of ours is told from one that is. Knows no socket. Both sides import this, so it
imports nothing of the web.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, cast

from picklebot.core.events import Event, OutboundEvent, TextDelta, ToolFinished, ToolStarted, TurnFinished
from picklebot.core.source import Source

PATH = "/ws/terminal"
PROTOCOL = 1  #: counted up when a terminal and a daemon that differ in it would misunderstand each other
PIECE = 40_000  #: characters of a message in one frame; 240 KB at most, whatever they are
TOLD: tuple[type[Event], ...] = (OutboundEvent, TextDelta, ToolStarted, ToolFinished, TurnFinished)

_KINDS: Mapping[str, type[Event]] = {kind.__name__: kind for kind in TOLD}
_DECODE: Mapping[str, Callable[[Any], Any]] = {
    "created_at": datetime.fromisoformat,
    "source": Source.parse,
    "to": Source.parse,
    "also": tuple,
}


class BadFrame(ValueError):
    """What came is no frame of ours."""


def spell(frame: Mapping[str, Any]) -> str:
    """Return a frame as text."""
    return json.dumps(frame, ensure_ascii=False, separators=(",", ":"))


def parse(text: str | bytes) -> dict[str, Any]:
    """Return the frame that is spelled so.

    Raises:
        BadFrame: it is none.
    """
    try:
        frame = json.loads(text)
    except (ValueError, RecursionError) as exc:
        raise BadFrame("a frame is one JSON object") from exc
    if not isinstance(frame, dict) or not isinstance(cast("dict[str, Any]", frame).get("type"), str):
        raise BadFrame("a frame is a JSON object with a type")
    return cast("dict[str, Any]", frame)


def event_of(spelled: Mapping[str, Any]) -> Event:
    """Return the event that `event_json` wrote.

    Raises:
        BadFrame: it is none that terminals are told of.
    """
    kind = _KINDS.get(str(spelled.get("type")))
    if kind is None:
        raise BadFrame(f"terminals are told of no {spelled.get('type')!r}")
    try:
        given: dict[str, Any] = {name: spelled[name] for name in kind.__dataclass_fields__ if name in spelled}
        for name in _DECODE.keys() & given.keys():
            given[name] = _DECODE[name](given[name])
        return kind(**given)
    except (TypeError, ValueError) as exc:
        raise BadFrame(f"this is no {kind.__name__}: {exc}") from exc


def pieces(content: str) -> Iterator[str]:
    """Cut a message so that each piece has room in a frame."""
    for start in range(0, max(len(content), 1), PIECE):
        yield content[start : start + PIECE]
