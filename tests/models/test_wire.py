"""What of a request goes over the wire."""

import json
from typing import Any

from picklebot.core.messages import Message, ToolResult
from picklebot.models.base import ModelRequest, ToolSchema
from picklebot.models.wire import Capabilities, encode_request

MARK = {"type": "ephemeral"}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "abc"}
CALL = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {}}


def wire(*messages: Message, cache: bool = True, effort: bool = True, **fields: Any) -> dict[str, Any]:
    request = ModelRequest(system=fields.pop("system", ""), messages=messages, **fields)
    flags = Capabilities(cache_control=cache, effort=effort)
    body: dict[str, Any] = json.loads(encode_request(request, model="m", max_tokens=100, capabilities=flags))
    return body


def test_a_plain_request_holds_nothing_that_was_not_asked_for() -> None:
    assert wire(Message.user("hi"), cache=False) == {
        "model": "m",
        "max_tokens": 100,
        "stream": True,
        "messages": [{"role": "user", "content": [{"type": "text", "text": "hi"}]}],
    }


def test_the_system_prompt_where_the_last_request_ended_and_the_end_are_marked_for_the_cache() -> None:
    said = [Message.user("z"), Message.assistant("y"), Message.user("a"), Message.assistant("b")]
    body = wire(*said, Message.user("c", "d"), system="be kind")
    assert body["system"] == [{"type": "text", "text": "be kind", "cache_control": MARK}]
    blocks = [block for message in body["messages"] for block in message["content"]]
    assert [block.get("cache_control") for block in blocks] == [None, None, MARK, None, None, MARK]


def test_an_endpoint_without_a_cache_gets_no_marks() -> None:
    assert "cache_control" not in json.dumps(wire(Message.user("a"), system="be kind", cache=False))


def test_the_conversation_itself_is_never_marked() -> None:
    message = Message.user("a")
    wire(message)
    assert message == Message.user("a")


def test_a_mark_never_stands_on_thinking() -> None:
    said = Message("assistant", ({"type": "text", "text": "a"}, THOUGHT, {"type": "redacted_thinking", "data": "x"}))
    assert ["cache_control" in block for block in wire(said)["messages"][0]["content"]] == [True, False, False]
    assert wire(Message("assistant", (THOUGHT,)))["messages"][0]["content"] == [THOUGHT]


def test_blank_text_is_left_out_because_the_api_refuses_it() -> None:
    said = Message("assistant", (THOUGHT, {"type": "text", "text": "\n\n"}, CALL))
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "x"}}
    answered = Message.results([ToolResult("toolu_1", [{"type": "text", "text": ""}, image])])
    body = wire(Message.user("go", " "), said, answered, Message.user(""), Message("assistant", ()), cache=False)
    contents = [message["content"] for message in body["messages"]]
    assert contents == [
        [{"type": "text", "text": "go"}],
        [THOUGHT, CALL],
        [{"type": "tool_result", "tool_use_id": "toolu_1", "content": [image]}],
    ]


def test_the_mark_goes_to_what_is_really_last() -> None:
    assert wire(Message.user("a", " "))["messages"][0]["content"] == [
        {"type": "text", "text": "a", "cache_control": MARK}
    ]


def test_tools_go_out_in_the_order_given() -> None:
    tools = [ToolSchema(name=n, description=f"does {n}", input_schema={"type": "object"}) for n in ("bash", "glob")]
    assert wire(Message.user("a"), tools=tools)["tools"] == [
        {"name": "bash", "description": "does bash", "input_schema": {"type": "object"}},
        {"name": "glob", "description": "does glob", "input_schema": {"type": "object"}},
    ]


def test_effort_goes_out_only_where_it_is_set_and_understood() -> None:
    assert wire(Message.user("a"), effort=True)["messages"]
    assert "output_config" not in wire(Message.user("a"))
    assert encoded_effort(supported=True) == {"effort": "high"}
    assert encoded_effort(supported=False) is None


def encoded_effort(*, supported: bool) -> Any:
    request = ModelRequest(system="", messages=[Message.user("a")], effort="high")
    body = encode_request(request, model="m", max_tokens=1, capabilities=Capabilities(effort=supported))
    return json.loads(body).get("output_config")


def test_two_requests_that_begin_alike_have_the_same_bytes_there() -> None:
    first = ModelRequest(system="s", messages=[Message.user("a")])
    second = ModelRequest(system="s", messages=[Message.user("a"), Message.assistant("b"), Message.user("c")])
    flags = Capabilities(cache_control=False)
    one, two = (encode_request(r, model="m", max_tokens=1, capabilities=flags) for r in (first, second))
    assert two.startswith(one.removesuffix(b"]}"))


def test_half_a_character_does_not_stop_the_conversation() -> None:
    assert wire(Message.user("a \ud800 ü 🥒"), cache=False)["messages"][0]["content"][0]["text"] == "a ? ü 🥒"
