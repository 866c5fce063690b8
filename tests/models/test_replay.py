"""The replay model says what was recorded, and says plainly what is wrong with a recording."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from picklebot.core.messages import Message
from picklebot.errors import ConfigError, ModelRejected
from picklebot.models.base import Model, ModelEvent, ModelReply, ModelRequest, TextChunk, ThinkingChunk, Usage
from picklebot.models.replay import MAX_BYTES, create

REQUEST = ModelRequest(system="", messages=[Message.user("hi")])
CALL = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"}}
THOUGHT = {"type": "thinking", "thinking": "hm", "signature": "abc"}


def step(*content: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "n": 0,
        "reply": {"role": "assistant", "content": list(content)},
        "stop_reason": "end_turn",
        "model": "claude-sonnet-5-5",
        "usage": {"input_tokens": 3, "output_tokens": 4, "cache_read_tokens": 5, "cache_write_tokens": 6},
        **changes,
    }


def said(text: str, **changes: Any) -> dict[str, Any]:
    return step({"type": "text", "text": text}, **changes)


def recording(tmp_path: Path, *turns: list[dict[str, Any]]) -> Path:
    path = tmp_path / "session.json"
    session = {
        "session": {"id": "s1", "agent_id": "pickle"},
        "turns": [{"event": {"type": "InboundEvent", "id": "e", "content": "hi"}, "steps": steps} for steps in turns],
    }
    path.write_text(json.dumps(session), encoding="utf-8")
    return path


async def events(model: Model) -> list[ModelEvent]:
    return [event async for event in model.stream(REQUEST)]


async def answer(model: Model) -> ModelReply:
    last = (await events(model))[-1]
    assert isinstance(last, ModelReply)
    return last


async def test_replies_come_in_recorded_order_across_turns(tmp_path: Path) -> None:
    model = create(path=recording(tmp_path, [step(CALL, stop_reason="tool_use"), said("one")], [], [said("two")]))
    first = await answer(model)
    assert (first.message.blocks, first.stop_reason, first.model) == ((CALL,), "tool_use", "claude-sonnet-5-5")
    assert first.usage == Usage(input_tokens=3, output_tokens=4, cache_read_tokens=5, cache_write_tokens=6)
    assert [(await answer(model)).message.text for _ in range(2)] == ["one", "two"]


async def test_a_recording_that_is_over_rejects_the_next_request(tmp_path: Path) -> None:
    model = create(path=recording(tmp_path, [said("one")]))
    await answer(model)
    for _ in range(2):
        with pytest.raises(ModelRejected, match="the recording has no more replies"):
            await answer(model)


async def test_blocks_are_kept_as_they_were_and_their_text_is_streamed(tmp_path: Path) -> None:
    odd = {"type": "from_the_future", "x": [1, {"y": None}]}
    model = create(path=recording(tmp_path, [step(THOUGHT, odd, {"type": "text", "text": "héllo"})]))
    thought, text, reply = await events(model)
    assert (thought, text) == (ThinkingChunk("hm"), TextChunk("héllo"))
    assert isinstance(reply, ModelReply)
    assert reply.message.blocks == (THOUGHT, odd, {"type": "text", "text": "héllo"})


async def test_a_reply_that_was_not_heard_to_its_end_is_said_again(tmp_path: Path) -> None:
    model = create(path=recording(tmp_path, [said("one")]))
    stream = model.stream(REQUEST)
    assert await anext(stream) == TextChunk("one")
    await stream.aclose()
    assert (await answer(model)).message.text == "one"


async def test_a_step_without_model_and_usage_is_enough(tmp_path: Path) -> None:
    bare = {"reply": {"role": "assistant", "content": []}, "stop_reason": "end_turn"}
    reply = await answer(create(path=str(recording(tmp_path, [bare]))))
    assert (reply.model, reply.usage) == ("", Usage())


async def test_closing_twice_is_fine(tmp_path: Path) -> None:
    model = create(path=recording(tmp_path))
    await model.aclose()
    await model.aclose()


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "EOF"),
        (b"{", "EOF"),
        (b"\xff\xfe", "Invalid JSON"),
        (b"[]", "object"),
        (b"{}", "turns: Field required"),
        (b"[" * 100_000, "recursion limit"),
        (b'{"turns": [{"steps": [{"stop_reason": "end_turn"}]}]}', r"turns\.0\.steps\.0\.reply: Field required"),
    ],
)
def test_a_file_that_is_no_session_is_named_with_the_reason(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(ConfigError, match=reason) as caught:
        create(path=path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "bad",
    [
        step({"text": "no type"}),
        step({"type": "text"}),
        step({"type": "tool_use", "id": "c", "name": "bash", "input": "ls"}),
        step({"type": "tool_use", "name": "bash", "input": {}}),
        step(reply={"role": "user", "content": []}),
        said("x", usage={"input_tokens": -1}),
    ],
)
def test_a_step_that_no_model_could_have_said_is_refused(tmp_path: Path, bad: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=r"turns\.0\.steps\.0"):
        create(path=recording(tmp_path, [bad]))


def test_a_byte_order_mark_is_no_harm(tmp_path: Path) -> None:
    path = recording(tmp_path, [said("one")])
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    create(path=path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file") as caught:
        create(path=tmp_path / "none.json")
    assert "none.json" in str(caught.value)


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path, tmp_path / "pipe"):
        with pytest.raises(ConfigError, match="is a file"):
            create(path=path)


def test_a_recording_beyond_the_cap_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(MAX_BYTES + 1)  # a hole: it takes no room on the disk
    with pytest.raises(ConfigError, match="larger than 64 MB"):
        create(path=path)
