"""Whatever a stream says, a reply is whole or there is none."""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.core.messages import Message
from picklebot.errors import ModelError, ModelUnavailable
from picklebot.testing.stream_events import message_events
from tests.models.streams import CALL, THOUGHT, USAGE, accumulate, streamed

PLAIN = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(PLAIN, inner, max_size=3),
    max_leaves=8,
)
BLOCK = st.one_of(
    st.fixed_dictionaries({"type": st.just("text"), "text": PLAIN}),
    st.fixed_dictionaries({"type": st.just("thinking"), "thinking": PLAIN, "signature": PLAIN}),
    st.fixed_dictionaries({"type": st.just("redacted_thinking"), "data": PLAIN}),
    st.fixed_dictionaries(
        {
            "type": st.just("tool_use"),
            "id": st.uuids().map(str),
            "name": st.just("bash"),
            "input": st.dictionaries(PLAIN, VALUE, max_size=3),
        }
    ),
)
MESSAGE = st.lists(BLOCK, max_size=4).map(lambda blocks: Message("assistant", tuple(blocks)))


@given(MESSAGE)
def test_every_message_comes_back_verbatim(message: Message) -> None:
    assert accumulate(message_events(message, model="m", usage=USAGE)).message == message


@given(MESSAGE, st.data())
def test_a_cut_stream_never_yields_a_reply(message: Message, data: st.DataObject) -> None:
    events = list(message_events(message, model="m", usage=USAGE))
    cut = data.draw(st.integers(0, len(events) - 1))
    with pytest.raises(ModelUnavailable, match="cut or garbled"):
        accumulate(events[:cut])


def disturb(events: list[dict[str, Any]], data: st.DataObject) -> list[dict[str, Any]]:
    """Swap, drop and repeat a few events."""
    disturbed = list(events)
    for _ in range(data.draw(st.integers(1, 3))):
        here, there = (data.draw(st.integers(0, len(disturbed) - 1)) for _ in range(2))
        match data.draw(st.sampled_from(["swap", "swap neighbours", "drop", "repeat", "cut"])):
            case "swap":
                disturbed[here], disturbed[there] = disturbed[there], disturbed[here]
            case "swap neighbours":
                disturbed[here : here + 2] = reversed(disturbed[here : here + 2])
            case "drop" if len(disturbed) > 1:
                del disturbed[here]
            case "repeat":
                disturbed.insert(there, disturbed[here])
            case _:
                del disturbed[here + 1 :]
    return disturbed


@given(MESSAGE, st.data())
def test_a_disturbed_stream_yields_a_reply_only_if_all_before_message_stop_was_fed(
    message: Message, data: st.DataObject
) -> None:
    disturbed = disturb(list(message_events(message, model="m", usage=USAGE)), data)
    try:
        reply = accumulate(disturbed)
    except ModelError:
        return
    kinds = [event["type"] for event in disturbed]
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert kinds.count("message_start") == kinds.count("message_stop") == 1
    assert "message_delta" in kinds
    indices = [event["index"] for event in disturbed if event["type"] == "content_block_start"]
    assert indices == list(range(len(reply.message.blocks)))
    assert kinds.count("content_block_stop") == len(indices)


NAMES = ["type", "index", "delta", "content_block", "message", "usage", "text", "stop_reason", "partial_json", "error"]
KINDS = ["message_start", "content_block_start", "content_block_delta", "content_block_stop", "message_delta"]
KINDS += ["message_stop", "ping", "error", "tool_use", "text_delta", "input_json_delta", "text"]
ODD = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats() | st.sampled_from(KINDS) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=5),
    max_leaves=12,
)
ODD_EVENT = st.builds(
    lambda kind, rest: {**rest, "type": kind},
    st.sampled_from(KINDS),
    st.dictionaries(st.sampled_from(NAMES), ODD, max_size=5),
)


@given(st.lists(st.sampled_from(streamed(THOUGHT, CALL)) | ODD_EVENT, max_size=15))
def test_nothing_but_a_model_error_ever_comes_of_nonsense(events: list[dict[str, Any]]) -> None:
    with suppress(ModelError):
        accumulate(events)
