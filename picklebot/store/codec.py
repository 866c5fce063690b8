"""Values to columns and back.

Promises that what goes in comes out equal. Moments are integer microseconds since 1970; everything else is JSON text.
"""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from picklebot.core.events import DispatchEvent, DispatchResultEvent, Event, InboundEvent, OutboundEvent
from picklebot.core.marks import to_marks, to_words
from picklebot.core.messages import ToolResult
from picklebot.core.rights import Rights
from picklebot.core.source import Source

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_DURABLE: Mapping[str, type[Event]] = {
    kind.__name__: kind for kind in (InboundEvent, OutboundEvent, DispatchEvent, DispatchResultEvent)
}
_COLUMNS = ("id", "created_at", "session_id", "source", "cause_id")

#: Fields that most leave empty, and that are written only where not
_SELDOM: Mapping[str, tuple[str, ...]] = {
    InboundEvent.__name__: ("outside",),
    OutboundEvent.__name__: ("also", "choices", "files"),
}

_BODIES = {
    name: tuple(
        (field, f'"{field}":')
        for field in kind.__dataclass_fields__
        if field not in (*_COLUMNS, *_SELDOM.get(name, ()))
    )
    for name, kind in _DURABLE.items()
}

EVENT_COLUMNS = "seq, id, kind, session_id, source, cause_id, created_at, body"


def to_micros(moment: datetime) -> int:
    """Return microseconds since 1970."""
    return (moment - _EPOCH) // _MICROSECOND


def from_micros(micros: int) -> datetime:
    """Return an aware UTC moment."""
    return _EPOCH + timedelta(microseconds=micros)


dumps = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), check_circular=False).encode
"""Return compact JSON. One encoder for all, because `json.dumps` makes a new one each time it is told how to write."""

_quote: Callable[[str], str] = json.encoder.encode_basestring  # what `dumps` comes to for text, on a shorter way


def encode_event(event: Event) -> tuple[Any, ...]:
    """Return the columns of `events` but for seq: id, kind, session_id, source, cause_id, created_at, body."""
    kind = type(event).__name__
    # Field by field: nearly all of them are text, which is quoted in a fraction of what the encoding of a dict takes.
    body = ",".join([head + _spell(getattr(event, name)) for name, head in _BODIES[kind]])
    body += "".join([f',"{name}":{dumps(given)}' for name in _SELDOM.get(kind, ()) if (given := getattr(event, name))])
    moment = to_micros(event.created_at)
    return (event.id, kind, event.session_id, str(event.source), event.cause_id, moment, f"{{{body}}}")


def _spell(value: object) -> str:
    if type(value) is str:
        return _quote(value)
    if value is None:
        return "null"
    if isinstance(value, Rights):
        return dumps(value.to_json())
    if isinstance(value, frozenset):
        return dumps(sorted(cast("frozenset[str]", value)))
    return dumps(str(value) if isinstance(value, Source) else value)


def decode_event(row: tuple[Any, ...]) -> tuple[int, Event]:
    """Return (seq, event) from a row of `EVENT_COLUMNS`."""
    seq, event_id, kind, session_id, source, cause_id, created_at, body = row
    fields: dict[str, Any] = json.loads(body)
    if "to" in fields:
        fields["to"] = Source.parse(fields["to"])
        fields |= {name: tuple(fields.get(name, ())) for name in _SELDOM[kind]}
        fields["choices"] = tuple((str(label), str(says)) for label, says in fields["choices"])
    if "rights" in fields:
        fields["rights"] = Rights.from_json(fields["rights"])
    if "marks" in fields:
        fields["marks"] = to_marks(fields["marks"])
    event = _DURABLE[kind](
        id=event_id,
        created_at=from_micros(created_at),
        session_id=session_id,
        source=Source.parse(source),
        cause_id=cause_id,
        **fields,
    )
    return seq, event


def encode_result(result: ToolResult) -> str:
    """Return a tool result as JSON."""
    content = result.content if isinstance(result.content, str) else [dict(block) for block in result.content]
    fields: dict[str, Any] = {"call_id": result.call_id, "content": content, "is_error": result.is_error}
    if result.marks:
        fields["marks"] = to_words(result.marks)
    return dumps(fields)


def decode_result(text: str | None) -> ToolResult | None:
    """Read what `encode_result` wrote."""
    if not text:
        return None
    fields: dict[str, Any] = json.loads(text)
    fields["marks"] = to_marks(fields.get("marks", ()))
    return ToolResult(**fields)
