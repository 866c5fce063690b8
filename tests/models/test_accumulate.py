"""From raw events to a reply: whole, or not at all."""

import json
from dataclasses import replace
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.errors import ContextTooLong, ModelError, ModelRejected, ModelUnavailable
from picklebot.models.accumulate import Accumulator
from picklebot.models.base import ModelReply, Spending, TextChunk, ThinkingChunk, Usage
from picklebot.testing.stream_events import broken_call_events
from tests.models.streams import CALL, THOUGHT, accumulate, streamed


def with_call(raw_json: str, *, stop_reason: str = "tool_use") -> ModelReply:
    start, *end = streamed(stop_reason=stop_reason)
    return accumulate([start, *broken_call_events("bash", raw_json, call_id="toolu_1"), *end])


def test_a_reply_is_what_was_streamed() -> None:
    reply = accumulate(streamed(THOUGHT, {"type": "text", "text": "hello"}, CALL))
    assert reply == ModelReply(
        message=Message("assistant", (THOUGHT, {"type": "text", "text": "hello"}, CALL)),
        stop_reason="tool_use",
        usage=Usage(input_tokens=3, output_tokens=5, cache_read_tokens=7, cache_write_tokens=11),
        model="m",
        request_id="req_1",
    )


def test_text_and_thinking_are_shown_as_they_come() -> None:
    accumulator = Accumulator()
    shown = [c for e in streamed(THOUGHT, {"type": "text", "text": "hello"}) for c in accumulator.feed(e)]
    assert "".join(c.text for c in shown if isinstance(c, ThinkingChunk)) == "let me see"
    assert "".join(c.text for c in shown if isinstance(c, TextChunk)) == "hello"
    assert len(shown) > 2


def test_what_an_answer_takes_is_told_as_it_begins_and_as_it_grows() -> None:
    accumulator, begin = (
        Accumulator(),
        Usage(input_tokens=3, output_tokens=1, cache_read_tokens=7, cache_write_tokens=11),
    )
    call = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"cmd": "x" * 2_500}}
    events = streamed({"type": "text", "text": "y" * 900}, call)
    told = [c for e in events for c in accumulator.feed(e) if isinstance(c, Spending)]
    assert told[0] == Spending(model="m", usage=replace(begin, output_tokens=told[0].usage.output_tokens))
    assert [spending.model for spending in told] == ["m"] * len(told)
    assert told[-1].written > 2_500
    assert len(told) < 6, "now and then, and not with each piece"


def test_a_failure_lasts_even_if_the_rest_arrives() -> None:
    accumulator = Accumulator()
    events = streamed(CALL)
    with pytest.raises(ModelUnavailable):
        accumulator.feed(events[1])
    for event in events:
        with pytest.raises(ModelUnavailable):
            accumulator.feed(event)
    with pytest.raises(ModelUnavailable):
        accumulator.reply()


@pytest.mark.parametrize(
    ("wrong", "reason"),
    [
        (lambda e: [*e[:1], *e[:]], "a second message began"),
        (lambda e: e[1:], "before the message began"),
        (lambda e: [*e[:1], *e[2:]], "block 0, which is not open"),
        (lambda e: [*e[:2], *e[1:]], "block 0 began where block 1 was due"),
        (lambda e: [*e[:-3], *e[-2:]], "in the middle of block 0"),
        (lambda e: [*e[:-2], *e[-1:]], "stopped without a reason"),
        (lambda e: [*e, e[-1]], "after the message had stopped"),
        (lambda e: [*e[:-1], {**e[1], "index": 1}, e[-1]], "after the stop reason"),
    ],
)
def test_an_impossible_order_is_no_reply(wrong: Any, reason: str) -> None:
    with pytest.raises(ModelUnavailable, match=reason):
        accumulate(wrong(streamed({"type": "text", "text": "hello"})))


@pytest.mark.parametrize(
    ("raw_json", "reason"),
    [
        ('{"cmd":"deploy prod","dry_run": tr', "not valid JSON"),
        ('{"allow": false, "allow": true}', "twice"),
        ('{"x": NaN}', "NaN"),
        ("[1]", "must be a JSON object, not a list"),
        ("null", "not null"),
        ('{"a":' * 5_000 + "1" + "}" * 5_000, "nested"),
        ('{"n": ' + "9" * 5_000 + "}", "digits"),
        ('{"half": "\\ud83e"}', "half of a character"),
        ('{"big": "' + "x" * 2_000_001 + '"}', "larger than"),
    ],
)
def test_an_input_that_cannot_be_trusted_is_empty_and_says_why(raw_json: str, reason: str) -> None:
    (call,) = with_call(raw_json).message.calls()
    assert call.input == {}
    assert call.problem
    assert reason in call.problem


def test_no_input_is_an_empty_object() -> None:
    (call,) = with_call("").message.calls()
    assert (call.input, call.problem) == ({}, None)


def test_an_input_sent_whole_with_the_start_is_kept() -> None:
    start, *end = streamed(stop_reason="tool_use")
    block = [
        {"type": "content_block_start", "index": 0, "content_block": CALL},
        {"type": "content_block_stop", "index": 0},
    ]
    (call,) = accumulate([start, *block, *end]).message.calls()
    assert (call.input, call.problem) == (CALL["input"], None)


@pytest.mark.parametrize("closed", [True, False])
def test_a_call_cut_off_by_max_tokens_must_not_run(closed: bool) -> None:
    start, *end = streamed(stop_reason="max_tokens")
    block = list(broken_call_events("bash", '{"command": "rm -r /tmp/x"', call_id="toolu_1"))
    (call,) = accumulate([start, *(block if closed else block[:-1]), *end]).message.calls()
    assert call.input == {}
    assert call.problem


def test_a_call_that_never_ended_must_not_run_even_if_its_input_looks_complete() -> None:
    start, *end = streamed(stop_reason="max_tokens")
    block = list(broken_call_events("bash", '{"path": "/tmp"}', call_id="toolu_1"))
    (call,) = accumulate([start, *block[:-1], *end]).message.calls()
    assert (call.input, call.problem) == ({}, "the answer reached max_tokens before the input was complete")


def test_text_cut_off_by_max_tokens_is_kept() -> None:
    events = streamed({"type": "text", "text": "so far"}, stop_reason="max_tokens")
    assert accumulate([e for e in events if e["type"] != "content_block_stop"]).message.text == "so far"


def test_two_calls_with_one_id_are_told_apart_and_the_second_does_not_run() -> None:
    first, second = accumulate(streamed(CALL, {**CALL, "input": {"command": "rm"}})).message.calls()
    assert (first.id, first.input, first.problem) == ("toolu_1", CALL["input"], None)
    assert (second.input, second.problem) == ({}, "the id 'toolu_1' was already used by another call")
    assert second.id != first.id


@pytest.mark.parametrize("spoiled", [{"id": ""}, {"id": None}, {"name": ""}, {"name": None}])
def test_a_call_without_an_id_or_a_name_can_still_be_answered(spoiled: dict[str, Any]) -> None:
    (call,) = accumulate(streamed(CALL, stop_reason="tool_use")[:1] + _spoiled_call(spoiled)).message.calls()
    assert call.id
    assert call.name
    assert call.problem
    assert call.input == {}


def _spoiled_call(spoiled: dict[str, Any]) -> list[dict[str, Any]]:
    _, start, *rest = streamed(CALL)
    return [{**start, "content_block": {**start["content_block"], **spoiled}}, *rest]


def test_unknown_kinds_of_event_delta_and_block_are_no_trouble() -> None:
    start, *end = streamed()
    odd = {"type": "hologram", "index": 0, "pixels": [1, 2, {"three": 3}]}
    events = [
        {"type": "weather"},
        start,
        {"type": "ping"},
        {"type": "content_block_start", "index": 0, "content_block": odd},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "photon_delta", "photon": 1}},
        {"type": "content_block_stop", "index": 0},
        *end,
    ]
    assert accumulate(events).message.blocks == (odd,)


def test_citations_signatures_and_compactions_are_put_in_their_blocks() -> None:
    start, *end = streamed()
    parts: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
        (
            {"type": "text", "text": "", "citations": None},
            [{"type": "citations_delta", "citation": {"n": n}} for n in (1, 2)],
        ),
        ({"type": "thinking", "thinking": "", "signature": ""}, [{"type": "signature_delta", "signature": "abc"}]),
        (
            {"type": "compaction", "content": None},
            [{"type": "compaction_delta", "content": "so far", "encrypted_content": "xyz"}],
        ),
    ]
    events: list[dict[str, Any]] = [start]
    for index, (block, deltas) in enumerate(parts):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    cited, thought, compaction = accumulate([*events, *end]).message.blocks
    assert cited["citations"] == [{"n": 1}, {"n": 2}]
    assert thought == {"type": "thinking", "thinking": "", "signature": "abc"}
    assert compaction == {"type": "compaction", "content": "so far", "encrypted_content": "xyz"}


def test_a_character_split_between_two_pieces_is_whole_again() -> None:
    start, *end = streamed()
    pieces = json.loads(r'["a \ud83e", "\udd52 b \ud800 c\u0000"]')
    events = [
        start,
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        *({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": p}} for p in pieces),
        {"type": "content_block_stop", "index": 0},
        *end,
    ]
    assert accumulate(events).message.text == "a 🥒 b \ufffd c"


def test_the_usage_is_the_last_total_said() -> None:
    events = streamed({"type": "text", "text": "hello"})
    events[-2]["usage"] = {"output_tokens": 50, "input_tokens": None, "cache_read_input_tokens": 70, "odd": "x"}
    assert accumulate(events).usage == Usage(
        input_tokens=3, output_tokens=50, cache_read_tokens=70, cache_write_tokens=11
    )


@pytest.mark.parametrize("nonsense", [-1, True, 1.5, "9", None, 10**30])
def test_a_count_that_makes_no_sense_is_not_believed(nonsense: Any) -> None:
    events = streamed()
    events[-2]["usage"] = {"output_tokens": nonsense}
    assert accumulate(events).usage.output_tokens == 1


def test_an_unknown_stop_reason_is_handed_on() -> None:
    assert accumulate(streamed(CALL, stop_reason="sunset")).stop_reason == "sunset"


@pytest.mark.parametrize(
    ("kind", "message", "error"),
    [
        ("overloaded_error", "Overloaded", ModelUnavailable),
        ("api_error", "Internal server error", ModelUnavailable),
        ("rate_limit_error", "slow down", ModelUnavailable),
        ("something_new", "?", ModelUnavailable),
        ("invalid_request_error", "no", ModelRejected),
        ("authentication_error", "no", ModelRejected),
        ("permission_error", "no", ModelRejected),
        ("invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum", ContextTooLong),
    ],
)
def test_an_error_in_the_stream_is_raised_for_what_it_is(kind: str, message: str, error: type[ModelError]) -> None:
    accumulator = Accumulator()
    accumulator.feed(streamed()[0])
    with pytest.raises(error):
        accumulator.feed({"type": "error", "error": {"type": kind, "message": message}})
    with pytest.raises(error):
        accumulator.reply()


@pytest.mark.parametrize("error", [None, "x", [], {"type": 3, "message": {}}])
def test_an_error_that_says_nothing_is_still_an_error(error: Any) -> None:
    with pytest.raises(ModelUnavailable):
        Accumulator().feed({"type": "error", "error": error})


@pytest.mark.parametrize("block", [{"type": "text", "text": "x" * 2_000}, {"type": "odd", "data": "x" * 2_000}])
def test_an_answer_without_end_is_refused(block: dict[str, Any]) -> None:
    with pytest.raises(ModelRejected, match="larger than 1,000 bytes"):
        accumulate(streamed(block), max_bytes=1_000)
