"""Server-sent events, from bytes to JSON objects (https://html.spec.whatwg.org/multipage/server-sent-events.html).

Promises that how the bytes were cut into chunks changes nothing, and that a peer cannot fill the memory with a
line that never ends. Knows no meaning of an event.
"""

from collections.abc import Iterator, Mapping
from typing import Any, cast

from picklebot.models import strict_json

MAX_DEPTH = 200


class SSEDecoder:
    """Takes chunks, gives the JSON object of each complete event."""

    def __init__(self, max_bytes: int = 10_000_000) -> None:
        self._max_bytes = max_bytes
        self._tail: list[bytes] = []
        self._data: list[bytes] = []
        self._size = 0
        self._first = True

    def feed(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        """Yield the events that `chunk` completes.

        Raises:
            ValueError: if an event is too large, or its data is not one JSON object in UTF-8.
        """
        self._size += len(chunk)
        if b"\n" in chunk or b"\r" in chunk or (self._tail and self._tail[-1].endswith(b"\r")):
            yield from self._lines(chunk)
        elif chunk:
            self._tail.append(chunk)
        if self._size > self._max_bytes:
            raise ValueError(f"one event is larger than {self._max_bytes:,} bytes")

    def _lines(self, chunk: bytes) -> Iterator[Mapping[str, Any]]:
        lines = b"".join((*self._tail, chunk)).splitlines(keepends=True)
        # A CR at the very end may be half of a CRLF, so it waits for the next chunk.
        self._tail = [] if lines[-1].endswith(b"\n") else [lines.pop()]
        for line in lines:
            text = line.rstrip(b"\r\n")
            if self._first:
                text, self._first = text.removeprefix(b"\xef\xbb\xbf"), False
            if text.startswith(b"data:"):
                self._data.append(text[5:].removeprefix(b" "))
            elif not text and self._data:
                data, self._data = b"\n".join(self._data), []
                self._size = 0
                if data != b"[DONE]":  # an OpenAI habit that some gateways keep
                    yield self._parse(data)
        if not self._data:
            self._size = sum(map(len, self._tail))

    def _parse(self, data: bytes) -> Mapping[str, Any]:
        event: object = strict_json.loads(data.decode(), max_bytes=self._max_bytes, max_depth=MAX_DEPTH)
        if isinstance(event, dict):
            return cast(dict[str, Any], event)
        raise ValueError("an event is not a JSON object")
