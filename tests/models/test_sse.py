"""Server-sent events, however the bytes are cut."""

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.models.sse import SSEDecoder

EVENTS: list[dict[str, Any]] = [
    {"type": "message_start", "message": {"model": "m"}},
    {"type": "ping"},
    {"type": "content_block_delta", "text": "grüße 🥒\nsecond line"},
]


def encoded(newline: str) -> bytes:
    lines: list[str] = [": a comment", "retry: 3"]
    for event in EVENTS:
        lines += [f"event: {event['type']}", *(f"data: {row}" for row in json.dumps(event, indent=1).splitlines()), ""]
    return ("\ufeff" + newline.join([*lines, ""])).encode()


def decode(*chunks: bytes, max_bytes: int = 10_000_000) -> list[Any]:
    decoder = SSEDecoder(max_bytes)
    return [event for chunk in chunks for event in decoder.feed(chunk)]


@given(st.sampled_from(["\n", "\r\n"]), st.lists(st.integers(0, 400), max_size=12))
def test_how_the_bytes_were_cut_changes_nothing(newline: str, cuts: list[int]) -> None:
    stream = encoded(newline)
    edges = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    assert decode(*(stream[a:b] for a, b in itertools.pairwise(edges))) == EVENTS


def test_an_event_without_its_blank_line_has_not_arrived() -> None:
    assert decode(b'data: {"a": 1}\n') == []
    assert decode(b'data: {"a": 1}\n', b"\n") == [{"a": 1}]


def test_the_farewell_of_other_apis_is_passed_over() -> None:
    assert decode(b'data: {"a": 1}\n\ndata: [DONE]\n\n') == [{"a": 1}]


@pytest.mark.parametrize(
    "stream",
    [b"data: {bad\n\n", b"data: \xff\xfe\n\n", b"data: 3\n\n", b'data: {"a": NaN}\n\n', b'data: {"a":1,"a":2}\n\n'],
)
def test_what_is_not_an_object_in_utf8_is_refused(stream: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(stream)


def test_a_line_that_never_ends_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(ValueError, match="larger than 1,000 bytes"):
        decode(*[b"data: " + b"x" * 100] * 11, max_bytes=1_000)


def test_many_small_events_are_not_one_large_one() -> None:
    assert len(decode(*[b'data: {"a": 1}\n\n: comment\n'] * 100, max_bytes=100)) == 100
