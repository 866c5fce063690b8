"""Every stop reason is met by name."""

import pytest

from picklebot.agent.verdict import (
    MAX_CALLS,
    NO_ANSWER,
    NUDGE,
    Answer,
    AskAgain,
    RunTools,
    Streaks,
    close_calls,
    judge,
)
from picklebot.core.messages import Block, Message, ToolCall, ToolResult
from picklebot.core.replies import ModelReply
from picklebot.errors import ContextTooLong


def reply(stop_reason: str, *blocks: Block) -> ModelReply:
    return ModelReply(message=Message("assistant", blocks), stop_reason=stop_reason)


def text(words: str) -> Block:
    return {"type": "text", "text": words}


def call(n: int = 1) -> Block:
    return {"type": "tool_use", "id": f"c{n}", "name": "look", "input": {}}


@pytest.mark.parametrize("stop_reason", ["end_turn", "stop_sequence", "something_new"])
def test_words_end_the_turn(stop_reason: str) -> None:
    assert judge(reply(stop_reason, text("hi")), nudged=False, max_tokens=9) == Answer("hi")


def test_tools_run_when_the_model_stopped_for_them() -> None:
    verdict = judge(reply("tool_use", call()), nudged=False, max_tokens=9)
    assert verdict == RunTools([ToolCall("c1", "look", {})])


@pytest.mark.parametrize("stop_reason", ["max_tokens", "end_turn", "something_new", "refusal"])
def test_no_tool_runs_when_the_model_stopped_for_another_reason(stop_reason: str) -> None:
    verdict = judge(reply(stop_reason, text("let me"), call()), nudged=False, max_tokens=9)
    assert isinstance(verdict, RunTools)
    assert not verdict.calls
    assert verdict.refused[0].is_error


def test_a_cut_answer_says_so() -> None:
    verdict = judge(reply("max_tokens", text("once upon")), nudged=False, max_tokens=9)
    assert isinstance(verdict, Answer)
    assert verdict.text.startswith("once upon")
    assert "9 tokens" in verdict.text


def test_a_pause_is_continued() -> None:
    assert judge(reply("pause_turn", text("wait")), nudged=False, max_tokens=9) == AskAgain()


def test_a_refusal_is_told() -> None:
    verdict = judge(reply("refusal"), nudged=False, max_tokens=9)
    assert isinstance(verdict, Answer)
    assert "declined" in verdict.text


def test_a_full_window_is_an_error() -> None:
    with pytest.raises(ContextTooLong):
        judge(reply("model_context_window_exceeded"), nudged=False, max_tokens=9)


@pytest.mark.parametrize("blocks", [(), (text("  "),), ({"type": "thinking", "thinking": "hm", "signature": "s"},)])
def test_silence_is_nudged_once_and_then_told(blocks: tuple[Block, ...]) -> None:
    assert judge(reply("end_turn", *blocks), nudged=False, max_tokens=9) == AskAgain(NUDGE)
    assert judge(reply("end_turn", *blocks), nudged=True, max_tokens=9) == Answer(NO_ANSWER)


def test_a_flood_of_calls_is_capped_and_the_rest_refused() -> None:
    verdict = judge(reply("tool_use", *(call(n) for n in range(200))), nudged=False, max_tokens=9)
    assert isinstance(verdict, RunTools)
    assert (len(verdict.calls), len(verdict.refused)) == (MAX_CALLS, 200 - MAX_CALLS)


def test_a_streak_counts_the_same_call_in_steps_running() -> None:
    streaks, same, other = Streaks(), ToolCall("1", "look", {"a": 1}), ToolCall("2", "look", {"a": 2})
    assert [streaks.count([same]), streaks.count([other, same]), streaks.count([same])] == [1, 2, 3]
    assert streaks.count([other]) == 1
    assert streaks.count([same]) == 1


def test_open_calls_are_closed_with_what_is_known() -> None:
    said = Message("assistant", (call(1), call(2)))
    closed = close_calls([Message.user("hi"), said], [ToolResult("c1", "seen")], "stopped")
    assert [block["tool_use_id"] for block in closed[-1].blocks] == ["c1", "c2"]
    assert closed[-1].blocks[1]["is_error"]


def test_a_conversation_without_open_calls_is_left_alone() -> None:
    messages = [Message.user("hi"), Message.assistant("ho")]
    assert close_calls(messages, [], "stopped") == messages
