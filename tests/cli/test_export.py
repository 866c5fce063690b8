"""`picklebot sessions export`: everything that is known of a session, and enough to play it again."""

import asyncio
import json
from pathlib import Path

from picklebot.clock import SystemClock
from picklebot.core.messages import Message
from picklebot.errors import ModelRejected
from picklebot.models import replay
from picklebot.models.base import ModelReply, ModelRequest
from picklebot.store.sqlite import SqliteStore
from tests.cli.running import accept, begin, conversation, fill, lines, run, run_json


async def test_an_export_holds_the_turn_with_its_steps_its_calls_and_its_replies(workspace: Path) -> None:
    async def use(store: SqliteStore) -> str:
        turn = await conversation(store)
        [row] = await store.outbox.claim("telegram", SystemClock().now(), limit=1)
        await store.outbox.ack(row, receipt="tg-1", at=SystemClock().now())
        return turn.event.session_id

    session_id = await fill(workspace, use)
    document = await asyncio.to_thread(run_json, workspace, "sessions", "export", session_id)
    assert document["version"] == 1
    assert document["session"]["id"] == session_id
    [turn] = document["turns"]
    assert (turn["event"]["content"], turn["event"]["source"]) == ("what is here?", "telegram:42:7")
    assert (turn["state"], turn["outcome"], turn["error"]) == ("done", "done", None)
    assert turn["opening"][1] == {"type": "text", "text": "what is here?"}
    first, second = turn["steps"]
    assert (first["n"], first["stop_reason"], first["model"], first["request_id"]) == (
        0,
        "tool_use",
        "claude-test",
        "req_0",
    )
    assert first["usage"]["cache_read_tokens"] == 5
    assert second["reply"] == {"role": "assistant", "content": [{"type": "text", "text": "Two files."}]}
    [call] = first["calls"]
    assert (call["call_id"], call["tool"], call["effect"], call["state"]) == ("c1", "glob", "pure", "done")
    assert call["result"] == {"content": "notes.md\nplan.md", "is_error": False}
    assert call["started_at"] <= call["finished_at"]
    [reply] = turn["outbound"]
    assert (reply["content"], reply["state"], reply["attempts"], reply["receipt"]) == ("Two files.", "acked", 1, "tg-1")
    assert [message["role"] for message in document["messages"]] == ["user", "assistant", "user", "assistant"]


async def test_an_exported_session_can_be_played_again(workspace: Path, tmp_path: Path) -> None:
    turn = await fill(workspace, conversation)
    exported = await asyncio.to_thread(run, workspace, "sessions", "export", turn.event.session_id)
    recording = tmp_path / "session.json"
    recording.write_text(exported.stdout, encoding="utf-8")
    model = replay.create(path=recording)
    said = [await _answer(model), await _answer(model)]
    assert [reply.stop_reason for reply in said] == ["tool_use", "end_turn"]
    assert [call.name for call in said[0].message.calls()] == ["glob"]
    assert said[1].message.text == "Two files."
    try:
        await _answer(model)
    except ModelRejected:
        return
    raise AssertionError("the recording holds more than was exported")


async def _answer(model: replay.ReplayModel) -> ModelReply:
    request = ModelRequest(system="", messages=[Message.user("hi")])
    *_, last = [event async for event in model.stream(request)]
    assert isinstance(last, ModelReply)
    return last


async def test_an_export_keeps_what_is_not_finished_and_what_is_odd(workspace: Path) -> None:
    async def use(store: SqliteStore) -> str:
        await begin(store, "snow ☃ and \x1b[31m", key="k1")
        waiting = await accept(store, "me too", key="k2")
        return waiting.event.session_id

    session_id = await fill(workspace, use)
    done = await asyncio.to_thread(run, workspace, "sessions", "export", session_id, PYTHONIOENCODING="ascii")
    assert done.stdout.isascii()
    turns = json.loads(done.stdout)["turns"]
    assert [(turn["event"]["content"], turn["state"], turn["outcome"]) for turn in turns] == [
        ("snow ☃ and \x1b[31m", "open", "running"),
        ("me too", "open", None),
    ]
    assert [turn["steps"] for turn in turns] == [[], []]


async def test_an_unknown_session_is_not_found_and_nothing_is_on_stdout(workspace: Path) -> None:
    await fill(workspace, conversation)
    done = await asyncio.to_thread(run, workspace, "sessions", "export", "zzz")
    assert (done.returncode, done.stdout) == (1, "")
    assert len(lines(done.stderr)) == 1
    assert "'zzz'" in done.stderr
