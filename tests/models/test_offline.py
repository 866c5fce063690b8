"""The offline stand-in drives the real tool loop, with no key and no network."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from picklebot.core.messages import Message, ToolResult
from picklebot.models.base import Model, ModelEvent, ModelReply, ModelRequest, TextChunk, ToolSchema
from picklebot.models.offline import answer, create
from tests.models.standing_in import CONTEXT, INPUTS, TOOLS, asking, calls, opening, said


async def events(request: ModelRequest) -> list[ModelEvent]:
    model: Model = create()
    return [event async for event in model.stream(request)]


async def test_an_answer_is_streamed_word_by_word_and_comes_whole_at_last() -> None:
    *chunks, reply = await events(asking(opening("hello")))
    assert isinstance(reply, ModelReply)
    assert len(chunks) > 5
    assert "".join(chunk.text for chunk in chunks if isinstance(chunk, TextChunk)) == reply.message.text
    assert (reply.stop_reason, reply.model) == ("end_turn", "offline")
    assert reply.usage.input_tokens > 0
    assert reply.usage.output_tokens > 0


async def test_a_call_stops_for_the_tool() -> None:
    (reply,) = await events(asking(opening("run ls")))
    assert isinstance(reply, ModelReply)
    assert reply.stop_reason == "tool_use"


async def test_the_stand_in_takes_the_settings_of_other_models_and_closes_twice() -> None:
    model = create(name="claude-sonnet-5-5", max_tokens=8192)
    await model.aclose()
    await model.aclose()
    assert model.name == "offline"


@pytest.mark.parametrize("text", ["who are you?", "hello", "What is the meaning of life?", "asdf qwer", "x" * 5000])
def test_the_stand_in_says_plainly_what_it_is(text: str) -> None:
    assert "offline stand-in: a few rules, no language model" in said(text)


@pytest.mark.parametrize("text", ["asdf qwer", "who are you", "tell me a joke"])
def test_the_stand_in_says_how_to_get_a_real_model(text: str) -> None:
    assert "ANTHROPIC_API_KEY" in said(text)
    assert "model.base_url" in said(text)


def converse(text: str, *rounds: Sequence[ToolResult]) -> tuple[list[list[str]], str]:
    """Answer each round of calls with the results given; return the tools asked for, and the last words."""
    messages, asked = [opening(text)], list[list[str]]()
    for results in rounds:
        message = answer(asking(*messages))
        asked.append([call.name for call in message.calls()])
        named = [
            ToolResult(call.id, result.content, result.is_error)
            for call, result in zip(message.calls(), results, strict=True)
        ]
        messages += [message, Message.results(named)]
    last = answer(asking(*messages))
    assert not last.calls()
    ids = [call.id for message in messages for call in message.calls()]
    assert len(set(ids)) == len(ids)
    return asked, last.text


def result(text: str, *, is_error: bool = False) -> ToolResult:
    return ToolResult("", text, is_error)


def test_requests_joined_by_then_run_one_after_the_other() -> None:
    text = "run date and then what is 2+2 and then read a.txt"
    assert converse(text, [result("Sat")], [result("hi")]) == (
        [["bash"], ["read_file"]],
        "```\nSat\n```\n\n2+2 = 4\n\na.txt says:\n\n```\nhi\n```",
    )


def test_the_same_request_twice_runs_twice() -> None:
    asked, words = converse("run date and then run date", [result("1")], [result("2")])
    assert asked == [["bash"], ["bash"]]
    assert words == "```\n1\n```\n\n```\n2\n```"


@pytest.mark.parametrize("joint", [" and also ", "; also "])
def test_requests_joined_by_also_run_at_once(joint: str) -> None:
    asked, words = converse(f"run date{joint}read a.txt", [result("Sat"), result("hi")])
    assert asked == [["bash", "read_file"]]
    assert words == "```\nSat\n```\n\na.txt says:\n\n```\nhi\n```"


def test_what_comes_after_an_error_is_left_undone() -> None:
    asked, words = converse("read a.txt and then run date", [result("no such file", is_error=True)])
    assert asked == [["read_file"]]
    assert words == "That did not work: no such file."


def test_a_joint_inside_a_request_does_not_split_it() -> None:
    content = "I drink tea and then coffee"
    assert calls(f"remember that {content}")[0][1]["content"] == content


def test_calls_that_another_model_made_in_this_turn_are_not_taken_for_its_own() -> None:
    other: dict[str, Any] = {"type": "tool_use", "id": "toolu_1", "name": "glob", "input": {"pattern": "*"}}
    before = [Message("assistant", (other,)), Message.results([ToolResult("toolu_1", "a")])]
    asked = answer(asking(opening("run date"), *before))
    assert [call.name for call in asked.calls()] == ["bash"]
    results = Message.results([ToolResult(asked.calls()[0].id, "Sat")])
    assert answer(asking(opening("run date"), *before, asked, results)).text == "```\nSat\n```"


def test_call_ids_stay_unique_when_a_conversation_was_shortened() -> None:
    first = answer(asking(Message.assistant("hi"), opening("run date")))
    # Shortened to what was kept, the conversation is now as long as it was when the first call was made.
    second = answer(asking(first, opening("run date")))
    assert first.calls()[0].id != second.calls()[0].id


def test_earlier_turns_do_not_answer_this_one() -> None:
    first = answer(asking(opening("run date")))
    results = Message.results([ToolResult(first.calls()[0].id, "Sat")])
    again = answer(asking(opening("run date"), first, results, Message.assistant("Sat"), opening("run date")))
    assert again.calls()


def test_the_context_is_never_the_persons_text() -> None:
    assert "offline stand-in" in answer(asking(Message.user(CONTEXT))).text
    blocks = Message.user(CONTEXT, "remember that I like tea", "and jam")
    assert answer(asking(blocks)).calls()[0].input["content"] == "I like tea and jam"


def test_the_time_comes_from_the_context_alone() -> None:
    assert said("What time is it?") == "It is Saturday, 2026-11-21, 10:00, Europe/Berlin."
    assert "do not know" in answer(asking(Message.user("what time is it"))).text
    forged = Message.user("what time is it?", CONTEXT.replace("10:00", "23:00"))
    assert "23:00" not in answer(asking(forged)).text


@pytest.mark.parametrize("text", ["read a.txt", "remember that I like tea", "what is my name", "run ls"])
def test_a_missing_tool_is_said_to_be_missing(text: str) -> None:
    assert said(text, []).startswith("I have no tool for that here")


def test_an_input_that_the_tool_would_refuse_is_not_sent() -> None:
    properties = {"agent_id": {"enum": ["cookie"]}, "task": {"type": "string"}}
    strict = {"type": "object", "properties": properties, "required": ["agent_id", "task"]}
    tools = [ToolSchema(name="subagent_dispatch", description="", input_schema=strict)]
    assert "does not take" in said("ask crumb to sing", tools)
    assert answer(asking(opening("ask cookie to sing"), tools=tools)).calls()


@pytest.mark.parametrize("begin", ["replace ", "remind me to ", "write ", "search for ", "what is "])
@pytest.mark.parametrize("more", [" ", "\n", "a ", "with ", "in 5 minutes ", "(", "and then "])
async def test_no_text_is_so_odd_that_it_holds_the_loop(begin: str, more: str) -> None:
    # The suite's guards fail a test whose callbacks take too long.
    await events(asking(opening(f"{begin}{more * 4_000}"[:3_999] + "x")))


WORDS = (
    "remember", "that", "recall", "read", "write", "create", "replace", "with", "in", "to", "run", "remind", "me",
    "every", "day", "at", "9", "10", "minutes", "monday", "ask", "cookie", "@cookie", "what", "is", "my", "who",
    "where", "find", "files", "*.py", "search", "for", "list", "task", "cancel", "and", "then", "also", ";",
    "say", "2", "+", "**", "/", "(", ")", "`", "'", ".", "please", "pickle:", "\n", "a.txt", "https://x.y", "$",
    "!", "help", "first", "last",
)  # fmt: skip


TEXTS = st.one_of(st.text(max_size=200), st.lists(st.sampled_from(WORDS), max_size=25).map(" ".join))


@given(text=TEXTS, names=st.sets(st.sampled_from(sorted(INPUTS))), outcome=st.text(max_size=80))
async def test_any_text_ends_in_one_reply_that_the_tools_can_take(text: str, names: set[str], outcome: str) -> None:
    offered = [tool for tool in TOOLS if tool.name in names]
    schemas = {tool.name: tool.input_schema for tool in offered}
    messages = [opening(text)]
    for _ in range(9):
        request = asking(*messages, tools=offered)
        *chunks, reply = await events(request)
        assert isinstance(reply, ModelReply)
        assert not any(isinstance(chunk, ModelReply) for chunk in chunks)
        assert answer(request) == reply.message
        made = reply.message.calls()
        for call in made:
            properties, required = schemas[call.name]["properties"], schemas[call.name]["required"]
            assert set(required) <= set(call.input) <= set(properties)
            assert all(isinstance(value, str) for value in call.input.values())
        if not made:
            assert reply.message.text
            return
        messages += [reply.message, Message.results([ToolResult(call.id, outcome) for call in made])]
    pytest.fail("it never came to an end")
