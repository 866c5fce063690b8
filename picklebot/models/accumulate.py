"""From the raw events of a Messages API stream to one whole reply.

Promises that a reply exists only if the endpoint said that the message stopped and everything before it made sense,
and that no tool input reaches anybody half-parsed. Knows no SDK and no network: events are plain mappings.
"""

from collections.abc import Mapping
from typing import Any, TypeAlias, cast

from picklebot.core.messages import Message
from picklebot.errors import ModelError, ModelRejected, ModelUnavailable
from picklebot.models.base import ModelReply, Spending, TextChunk, ThinkingChunk, Usage
from picklebot.models.blocks import Garbled, OpenBlock, name_calls
from picklebot.models.failures import event_error, mapping

_COUNTS = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}
_GROWN = 1_000  #: bytes of an answer after which it is said anew what it takes
_MAX_COUNT = 2**53  #: beyond this a count is nonsense, and would not fit a database column

Piece: TypeAlias = TextChunk | ThinkingChunk | Spending


class Accumulator:
    """Takes events in order, gives what can be shown at once and what was spent, and the reply at the end.

    `secret` is kept out of error texts, should an endpoint repeat it.
    """

    def __init__(self, max_bytes: int = 10_000_000, *, secret: str = "") -> None:
        self._max_bytes = max_bytes
        self._secret = secret
        self._blocks: list[OpenBlock] = []
        self._open: set[int] = set()
        self._problems: dict[int, str] = {}
        self._closed_bytes = self._told_bytes = 0
        self._usage: dict[str, int] = {}
        self._model = ""
        self._stop_reason: str | None = None
        self._started = self._complete = False
        self._failure: ModelError | None = None

    @property
    def complete(self) -> bool:
        """Whether the endpoint has said that the message stopped."""
        return self._complete

    def feed(self, event: Mapping[str, Any]) -> list[Piece]:
        """Take the next event. Kinds that are newer than this code are passed over.

        Raises:
            ModelUnavailable: the stream makes no sense, or the endpoint broke it off.
            ModelRejected: the endpoint refused, or the answer is larger than `max_bytes`.
            ContextTooLong: the endpoint found out late.
        """
        if self._failure:
            raise self._failure
        try:
            return self._take(event)
        except Garbled as exc:
            self._failure = ModelUnavailable(f"the model's answer was cut or garbled: {exc}")
            raise self._failure from exc
        except ModelError as exc:
            self._failure = exc
            raise

    def reply(self, request_id: str | None = None) -> ModelReply:
        """Return the whole answer.

        Raises:
            ModelError: there is none: the stream failed, or ended before the message did.
        """
        if self._failure:
            raise self._failure
        if not self._complete:
            raise ModelUnavailable("the model's answer was cut or garbled: it ended before it was complete")
        message = Message("assistant", *name_calls(self._blocks, self._problems))
        try:
            message.to_json().encode()
        except UnicodeEncodeError as exc:
            raise ModelUnavailable("the model's answer was cut or garbled: it holds half of a character") from exc
        return ModelReply(
            message=message,
            stop_reason=self._stop_reason or "",
            usage=self._counted,
            model=self._model,
            request_id=request_id,
        )

    @property
    def _counted(self) -> Usage:
        return Usage(**{ours: self._usage.get(theirs, 0) for theirs, ours in _COUNTS.items()})

    def _take(self, event: Mapping[str, Any]) -> list[Piece]:
        kind = event.get("type")
        if kind == "error":
            raise event_error(event.get("error"), secret=self._secret)
        if kind not in CONTENT_EVENTS:
            return []
        if self._complete:
            raise Garbled(f"{kind} after the message had stopped")
        if self._started is (kind == "message_start"):
            raise Garbled("a second message began" if self._started else f"{kind} before the message began")
        match kind:
            case "content_block_delta":
                return self._delta(event)
            case "content_block_start":
                return self._start(event)
            case "content_block_stop":
                self._close(self._index(event))
            case "message_start":
                return self._begin(_mapping(event, "message"))
            case "message_delta":
                self._finish(event)
            case _:
                self._stop()
        return []

    def _begin(self, message: Mapping[str, Any]) -> list[Piece]:
        self._started = True
        self._model = str(message.get("model") or "")
        self._count(message.get("usage"))
        return [self._spending(0)]

    def _start(self, event: Mapping[str, Any]) -> list[Piece]:
        index = len(self._blocks)
        if (said := event.get("index")) != index or isinstance(said, bool):
            raise Garbled(f"block {said!r} began where block {index} was due")
        if self._stop_reason is not None:
            raise Garbled(f"block {index} began after the stop reason")
        block = OpenBlock(_mapping(event, "content_block"))
        self._blocks.append(block)
        self._open.add(index)
        self._check_size()
        text = block.block.get("text")
        return [TextChunk(text)] if block.block["type"] == "text" and isinstance(text, str) and text else []

    def _delta(self, event: Mapping[str, Any]) -> list[Piece]:
        chunk = self._blocks[self._index(event)].add(_mapping(event, "delta"))
        said: list[Piece] = [chunk] if chunk and chunk.text else []
        if (written := self._check_size()) >= self._told_bytes + _GROWN:
            said.append(self._spending(written))
        return said

    def _spending(self, written: int) -> Spending:
        self._told_bytes = written
        return Spending(model=self._model, usage=self._counted, written=written)

    def _finish(self, event: Mapping[str, Any]) -> None:
        self._count(event.get("usage"))
        if isinstance(reason := _mapping(event, "delta").get("stop_reason"), str):
            self._stop_reason = reason

    def _stop(self) -> None:
        if self._stop_reason is None:
            raise Garbled("it stopped without a reason")
        if self._open and self._stop_reason != "max_tokens":
            raise Garbled(f"it stopped in the middle of block {min(self._open)}")
        for index in sorted(self._open):
            self._close(index)
            if self._blocks[index].is_call:
                self._problems[index] = "the answer reached max_tokens before the input was complete"
        self._complete = True

    def _close(self, index: int) -> None:
        self._open.remove(index)
        self._closed_bytes += self._blocks[index].size
        if problem := self._blocks[index].close():
            self._problems[index] = problem

    def _index(self, event: Mapping[str, Any]) -> int:
        index = event.get("index")
        if not isinstance(index, int) or isinstance(index, bool) or index not in self._open:
            raise Garbled(f"a piece of block {index!r}, which is not open")
        return index

    def _check_size(self) -> int:
        """Return how many bytes were written."""
        written = self._closed_bytes + sum(self._blocks[index].size for index in self._open)
        if written > self._max_bytes:
            raise ModelRejected(f"the model's answer is larger than {self._max_bytes:,} bytes")
        return written

    def _count(self, usage: object) -> None:
        """Note the counts of `usage`: they are totals so far, and a missing one leaves the last in force."""
        said = mapping(usage)
        for name in _COUNTS:
            count = said.get(name)
            if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < _MAX_COUNT:
                self._usage[name] = count


CONTENT_EVENTS = frozenset(
    {
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
    }
)


def _mapping(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = event.get(name)
    if not isinstance(value, Mapping):
        raise Garbled(f"{event.get('type')} has no {name}")
    return cast(Mapping[str, Any], value)
