"""Sources, ids, texts and messages: what they promise for any input."""

import json
import os
import sqlite3

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.core.events import DispatchEvent, DispatchResultEvent, InboundEvent, OutboundEvent
from picklebot.core.ids import new_id
from picklebot.core.messages import Message, ToolResult
from picklebot.core.rights import Rights
from picklebot.core.source import Source
from picklebot.core.text import clean, shorten
from picklebot.store.codec import decode_event, decode_result, encode_event, encode_result

PARTS = st.lists(st.text(max_size=20), max_size=4)


@given(channel=st.text(min_size=1, max_size=10), parts=PARTS)
def test_a_source_is_read_back_as_it_was_written(channel: str, parts: list[str]) -> None:
    source = Source(channel, tuple(parts))
    if len(str(source)) <= 256:
        assert Source.parse(str(source)) == source


@pytest.mark.parametrize("text", ["", ":x", "x" * 257])
def test_a_source_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"source|channel"):
        Source.parse(text)


def test_ids_sort_in_the_order_they_were_made() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert ids == sorted(set(ids))
    assert {len(i) for i in ids} == {24}


@given(st.text(st.characters(exclude_categories=())))
def test_clean_text_can_be_stored_anywhere(text: str) -> None:
    cleaned = clean(text)
    assert json.loads(json.dumps(cleaned)) == cleaned
    connection = sqlite3.connect(":memory:")
    assert connection.execute("SELECT ?, length(?)", (cleaned, cleaned)).fetchone() == (cleaned, len(cleaned))
    connection.close()


@given(st.text(), st.integers(1, 50))
def test_a_shortened_text_fits_on_one_line(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= limit
    assert "\n" not in short


def test_a_message_keeps_blocks_it_does_not_know() -> None:
    blocks = ({"type": "new_kind", "x": [1, {"y": None}]}, {"type": "text", "text": "hi"})
    message = Message("assistant", blocks)
    assert Message.from_json("assistant", message.to_json()) == message
    assert message.text == "hi"


SOURCE = Source("ws", ("a:b", "c%"))


@pytest.mark.parametrize(
    "event",
    [
        InboundEvent(session_id="s", source=SOURCE, agent_id="a", content="hï\n", key="k"),
        OutboundEvent(session_id="s", source=SOURCE, cause_id="c", content="x", to=Source("b"), error="e", part=2),
        DispatchEvent(
            session_id="s",
            source=SOURCE,
            agent_id="a",
            content="x",
            parent_session_id="p",
            tool_call_id="t",
            rights=Rights(callers=("b", "c"), tools=("bash",), sandbox="off", steps=3, seconds=1.5),
        ),
        DispatchResultEvent(session_id="s", source=SOURCE, content="x", error=None),
    ],
)
def test_a_durable_event_is_read_back_as_it_was_written(event: InboundEvent) -> None:
    assert decode_event((7, *encode_event(event))) == (7, event)


@pytest.mark.parametrize("result", [ToolResult("c", "text"), ToolResult("c", [{"type": "image", "x": 1}], True)])
def test_a_tool_result_is_read_back_as_it_was_written(result: ToolResult) -> None:
    assert decode_result(encode_result(result)) == result


def test_a_forked_child_draws_other_ids_than_its_parent() -> None:
    new_id()  # there is randomness in store, which a child must not inherit
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        os.write(writing, new_id().encode())
        os._exit(0)
    os.waitpid(child, 0)
    theirs, ours = os.read(reading, 100).decode(), new_id()
    os.close(reading)
    os.close(writing)
    assert theirs[10:] != ours[10:], "the first ten characters are the time"
