"""What can go wrong between us and a model, each as one line of a `MessagesApi` script.

    async with MessagesApi(status(529), cut(after_events=3), "at last") as api: ...

A fault turns the answer that would have been given into a plan: bytes to write, seconds to wait, and how it ends.
Promises that a plan runs the same way every time. Knows no socket.
"""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

from picklebot.core.messages import Message
from picklebot.testing.stream_events import broken_call_events, frame


class End(Enum):
    """How an answer ends, where it does not just end."""

    CLOSE = "close"  #: the connection is closed, whatever was promised
    RESET = "reset"  #: the connection is torn down with a RST
    HANG = "hang"  #: nothing more comes


@dataclass(frozen=True, slots=True, kw_only=True)
class Chunk:
    """A piece of a chunked body; an empty one ends the body."""

    content: bytes


Plan: TypeAlias = Iterable[bytes | Chunk | float | End]
END_OF_BODY = Chunk(content=b"")
PING = frame({"type": "ping"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What would be sent: the head, and the body in pieces (events, where a stream was asked for)."""

    head: bytes
    pieces: Sequence[bytes]


_DOOMED = Message.assistant("this answer was meant to fail")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A spoiled answer: `plan` spoils the one to `message`, `stop` overrides its stop reason."""

    name: str
    plan: Callable[[Answer], Plan]
    message: Message = _DOOMED
    stop: str | None = None


def status(code: int, body: Any = None, headers: Mapping[str, str] | None = None) -> Fault:
    """Answer with that HTTP status; `body` is text, bytes or JSON, by default an error of the API's shape."""
    if body is None:
        body = {"type": "error", "error": {"type": _KINDS.get(code, "api_error"), "message": f"status {code}"}}
    content = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    kind = "text/plain" if isinstance(body, str | bytes) else "application/json"
    head = response_head(code, {"content-type": kind, "content-length": str(len(content)), **(headers or {})})
    return Fault(name=f"status({code})", plan=lambda _: (head + content,))


def cut(after_events: int = 2, *, clean: bool = True, reply: str = "cut off") -> Fault:
    """Stop after so many events: with a proper end of the body, or (`clean=False`) by closing the connection."""

    def plan(answer: Answer) -> Plan:
        return _begin(answer, after_events) + ((END_OF_BODY,) if clean else (End.CLOSE,))

    return Fault(name="cut", plan=plan, message=Message.assistant(reply))


def reset(after_events: int | None = None) -> Fault:
    """Tear the connection down: before any answer, or after so many events."""
    # The pause lets what was sent arrive: a RST overtakes data that is still on its way.
    return Fault(name="reset", plan=lambda answer: (*_begin(answer, after_events), 0.01, End.RESET))


def stall(after_events: int | None = None) -> Fault:
    """Fall silent: before any answer, or after so many events."""
    return Fault(name="stall", plan=lambda answer: (*_begin(answer, after_events), End.HANG))


def pings_forever(after_events: int = 1, *, every: float = 0.01) -> Fault:
    """Send nothing but pings after so many events."""

    def plan(answer: Answer) -> Plan:
        return itertools.chain(_begin(answer, after_events), itertools.cycle((Chunk(content=PING), every)))

    return Fault(name="pings_forever", plan=plan)


def html(code: int = 200, *, endless: bool = False) -> Fault:
    """Answer with a web page, as a captive portal does; `endless` ones never arrive in full."""
    page = b"<!doctype html><title>Welcome</title><p>Please log in to the wireless network."
    head = response_head(code, {"content-type": "text/html", "content-length": str(len(page) + endless)})
    return Fault(name="html", plan=lambda _: (head + page, *([End.HANG] if endless else [])))


def broken_tool_input(name: str, raw_json: str, *, stop: str = "tool_use", call_id: str = "toolu_broken") -> Fault:
    """Stream a call of tool `name` with `raw_json` as its input, to the letter."""
    calls = [frame(event) for event in broken_call_events(name, raw_json, call_id=call_id)]

    def plan(answer: Answer) -> Plan:
        whole = (answer.pieces[0], *calls, *answer.pieces[1:])
        return (answer.head, Chunk(content=b"".join(whole)), END_OF_BODY)

    return Fault(name="broken_tool_input", plan=plan, message=Message("assistant", ()), stop=stop)


def slow(seconds: float, *, reply: str | Message = "at last", drip: bool = False) -> Fault:
    """Wait before the answer, or (`drip`) before each event of it."""

    def plan(answer: Answer) -> Iterator[bytes | Chunk | float | End]:
        yield seconds
        yield answer.head
        for piece in answer.pieces:
            yield Chunk(content=piece)
            if drip:
                yield seconds
        yield END_OF_BODY

    return Fault(name="slow", plan=plan, message=_message(reply))


def stop_reason(reason: str, *, reply: str | Message = "that is all") -> Fault:
    """Answer in full, and stop for that reason, known or not."""
    return replace(_whole("stop_reason"), message=_message(reply), stop=reason)


def error_event(kind: str = "overloaded_error", message: str = "Overloaded", *, after_events: int = 3) -> Fault:
    """Send an `error` event after so many ordinary ones."""
    broken = frame({"type": "error", "error": {"type": kind, "message": message}})
    return Fault(
        name="error_event", plan=lambda answer: (*_begin(answer, after_events), Chunk(content=broken), END_OF_BODY)
    )


def events(*events: Mapping[str, Any]) -> Fault:
    """Stream exactly these events."""
    return raw(b"".join(map(frame, events)))


def raw(body: bytes, *, content_type: str = "text/event-stream") -> Fault:
    """Answer 200 with exactly these bytes."""
    head = response_head(200, {"content-type": content_type, "content-length": str(len(body))})
    return Fault(name="raw", plan=lambda _: (head + body,))


def response_head(code: int, headers: Mapping[str, str]) -> bytes:
    """Return the status line and headers of a response."""
    lines = (f"HTTP/1.1 {code} {'OK' if code == 200 else 'Status'}", *(f"{k}: {v}" for k, v in headers.items()))
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def _begin(answer: Answer, after_events: int | None) -> tuple[bytes | Chunk, ...]:
    if after_events is None:
        return ()
    return (answer.head, *(Chunk(content=piece) for piece in answer.pieces[:after_events]))


def _message(reply: str | Message) -> Message:
    return Message.assistant(reply) if isinstance(reply, str) else reply


def _whole(name: str) -> Fault:
    return Fault(
        name=name, plan=lambda answer: (answer.head, *(Chunk(content=piece) for piece in answer.pieces), END_OF_BODY)
    )


_KINDS = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}
