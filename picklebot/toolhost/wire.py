"""What goes between the daemon and its tool process: JSON, a line each way.

A request is `{"id", "tool", "input", "seconds"}` or `{"cancel": id}`; an answer `{"id", "ok", "output" | "error"}`.
Promises lines within the limits below. Knows no tool.
"""

import json
from collections.abc import Mapping
from typing import Any

MAX_REQUEST = 1_000_000  #: bytes of a line to the host
MAX_ANSWER = 4_000_000  #: bytes of a line from it
_KEPT = 300_000  #: characters kept at each end of an output that does not fit: 6 bytes each at worst


class Failure(Exception):
    """A call cannot be done; the message is a sentence for the model."""


def answer(call_id: int, *, output: str | None = None, error: str = "") -> bytes:
    """Return the line that answers a call: `output` if there is one, else `error`."""
    line = _line(call_id, output, error)
    if len(line) > MAX_ANSWER:
        text = output if output is not None else error
        text = f"{text[:_KEPT]}\n[{len(text) - 2 * _KEPT} characters cut here]\n{text[-_KEPT:]}"
        line = _line(call_id, text if output is not None else None, text)
    return line


def _line(call_id: int, output: str | None, error: str) -> bytes:
    said: Mapping[str, Any] = {"ok": True, "output": output} if output is not None else {"ok": False, "error": error}
    # A file's name may hold bytes that are no text; they become question marks.
    return json.dumps({"id": call_id, **said}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def check_text(values: Mapping[str, Any]) -> None:
    """Refuse text that no file name, file or command line can hold.

    Raises:
        Failure: naming the value.
    """
    for name, value in values.items():
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                raise Failure(f"{name} holds half a character (a lone surrogate); write it as plain text") from None
