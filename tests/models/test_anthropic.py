"""The adapter, with the real SDK, against a real socket."""

import asyncio
import base64
import json
import subprocess
import sys

import pytest

from picklebot.core.messages import Message, ToolResult
from picklebot.errors import ConfigError, ModelRejected, ModelUnavailable
from picklebot.models import anthropic
from picklebot.models.anthropic import AnthropicModel
from picklebot.models.base import ModelReply, TextChunk, ThinkingChunk, ToolSchema
from picklebot.models.listing import windows_in
from picklebot.models.wire import Capabilities
from picklebot.testing.faults import (
    stop_reason,
)
from picklebot.testing.messages_api import MessagesApi, echo
from tests.models.asking import KEY, Maker, ask, question


async def test_a_question_is_answered_in_pieces_and_then_as_a_whole(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend("hello Ann")
    *pieces, reply = [event async for event in model.stream(question())]
    assert "".join(piece.text for piece in pieces if isinstance(piece, TextChunk)) == "hello Ann"
    assert isinstance(reply, ModelReply)
    assert reply.message == Message.assistant("hello Ann")
    assert (reply.stop_reason, reply.model, reply.request_id) == ("end_turn", "claude-sonnet-5-5", "req_000001")
    assert reply.usage.output_tokens > 0
    assert model.name == "claude-sonnet-5-5"


async def test_a_whole_conversation_with_thinking_and_tools_goes_back_verbatim(
    api: MessagesApi, model: AnthropicModel
) -> None:
    thought = {"type": "thinking", "thinking": "I should look", "signature": "c2ln"}
    call = {"type": "tool_use", "id": "toolu_1", "name": "glob", "input": {"pattern": "*.md"}}
    api.extend(Message("assistant", (thought, {"type": "text", "text": "\n\n"}, call)), "done")
    tools = [ToolSchema(name="glob", description="find files", input_schema={"type": "object"})]
    first = question(Message.user("go"), tools=tools, effort="high")
    said = [event async for event in model.stream(first)]
    assert "".join(c.text for c in said if isinstance(c, ThinkingChunk)) == "I should look"
    reply = said[-1]
    assert isinstance(reply, ModelReply)
    assert reply.stop_reason == "tool_use"
    assert [(c.name, c.input, c.problem) for c in reply.message.calls()] == [("glob", {"pattern": "*.md"}, None)]
    answered = Message.results([ToolResult("toolu_1", "README.md")])
    await ask(model, Message.user("go"), reply.message, answered, tools=tools)
    assert api.requests[0].body["output_config"] == {"effort": "high"}
    assert api.requests[1].body["messages"][1] == {"role": "assistant", "content": [thought, call]}
    assert "temperature" not in api.requests[1].body


async def test_the_second_turn_reads_what_the_first_one_wrote_to_the_cache(
    api: MessagesApi, model: AnthropicModel
) -> None:
    api.extend("one", "two")
    first = await ask(model, Message.user("a" * 400))
    second = await ask(model, Message.user("a" * 400), first.message, Message.user("more"))
    assert first.usage.cache_write_tokens > 100
    assert second.usage.cache_read_tokens == first.usage.cache_write_tokens
    assert 0 < second.usage.cache_write_tokens < 50
    assert second.usage.input_tokens == 0


async def test_an_endpoint_without_extras_gets_a_plain_request(api: MessagesApi, make: Maker) -> None:
    api.extend("ok")
    model = make(capabilities=Capabilities(cache_control=False, effort=False))
    await ask(model, effort="high")
    assert "cache_control" not in json.dumps(api.requests[0].body)
    assert "output_config" not in api.requests[0].body


async def test_the_request_may_name_another_model_and_never_exceeds_the_ceiling(api: MessagesApi, make: Maker) -> None:
    api.extend("ok", "ok")
    model = make(max_tokens=1_000)
    await ask(model, model="claude-haiku-5-5", max_tokens=9_000)
    await ask(model, max_tokens=10)

    bodies = [request.body for request in api.requests]
    assert [(b["model"], b["max_tokens"]) for b in bodies] == [("claude-haiku-5-5", 1_000), ("claude-sonnet-5-5", 10)]


@pytest.mark.parametrize("auth", ["bearer", "x-api-key"])
async def test_the_environment_changes_neither_where_a_request_goes_nor_what_it_says(
    api: MessagesApi, make: Maker, auth: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = {"X-Extra": "1", "Authorization": "leak", "authorization": "Bearer leak", "x-api-key": "leak"}
    headers |= {"ANTHROPIC-VERSION": "1999-01-01", "content-type": "text/plain", "Accept": "text/html"}
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "\n".join(f"{k}: {v}" for k, v in headers.items()) + "\nnonsense")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    for name in ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_PROFILE"):
        monkeypatch.setenv(name, "leak")
    api.extend("ok")
    model = make(auth=auth)
    await ask(model)
    sent = api.requests[0].headers
    assert "leak" not in " ".join(sent.values())
    assert "x-extra" not in sent
    assert (sent["anthropic-version"], sent["content-type"]) == ("2026-10-21", "application/json")
    expected = (f"Bearer {KEY}", None) if auth == "bearer" else (None, KEY)
    assert (sent.get("authorization"), sent.get("x-api-key")) == expected


async def test_the_api_version_and_a_trailing_v1_are_the_users_choice(api: MessagesApi, make: Maker) -> None:
    api.extend("ok")
    model = make(url=f"{api.url}/v1/", api_version="2023-06-01")
    await ask(model)
    assert api.requests[0].headers["anthropic-version"] == "2023-06-01"


async def test_one_connection_serves_one_turn_after_the_other(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend(*"abcdef")
    for letter in "abcdef":
        assert (await ask(model)).message.text == letter
    assert api.connection_count == 1


async def test_many_turns_at_once_each_get_their_own_answer(model: AnthropicModel, api: MessagesApi) -> None:
    api.extend(*[echo] * 40)
    texts = [f"number {n}" for n in range(40)]
    async with asyncio.TaskGroup() as group:
        asking = [group.create_task(ask(model, Message.user(text)), name=text) for text in texts]
    assert [task.result().message.text for task in asking] == [f"echo: {text}" for text in texts]


async def test_a_large_conversation_goes_out_whole(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend("seen")
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 3_000_000}}
    reply = await ask(model, Message("user", (picture, {"type": "text", "text": "what is this?"})))
    assert reply.message.text == "seen"
    assert api.requests[0].body["messages"][0]["content"][0] == picture


async def test_an_unknown_stop_reason_is_handed_on(api: MessagesApi, model: AnthropicModel) -> None:
    api.extend(stop_reason("sunset"))
    assert (await ask(model)).stop_reason == "sunset"


async def test_closing_twice_or_unused_is_no_trouble(api: MessagesApi, make: Maker) -> None:
    model = make()
    await model.aclose()
    api.extend("ok")
    await ask(model)
    await model.aclose()
    await model.aclose()


@pytest.mark.parametrize("key", ["sk ant", "sk-ant\nX: y", "sk-ant…", "sk-\x00"])
def test_a_key_that_cannot_be_one_is_refused_without_being_shown(key: str) -> None:
    with pytest.raises(ConfigError, match="copy it again") as caught:
        anthropic.create(name="m", base_url=None, api_key=key)
    assert key not in str(caught.value)


@pytest.mark.parametrize("url", ["localhost:11434", "ftp://example.com", "https://", "/v1"])
def test_an_address_that_cannot_be_one_is_refused(url: str) -> None:
    with pytest.raises(ConfigError, match="not an address"):
        anthropic.create(name="m", base_url=url, api_key=base64.b64encode(b"key").decode())


def test_importing_the_adapter_does_not_import_the_sdk() -> None:
    program = "import sys, picklebot.models.anthropic; print({'anthropic', 'httpx2', 'aiohttp'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "set()"


async def test_an_endpoint_is_asked_for_the_windows_of_its_models(api: MessagesApi, make: Maker, http: str) -> None:
    model = make(http=http)
    api.models = [{"id": "Qwen/Qwen3", "max_model_len": 32768}, {"id": "a", "max_input_tokens": None}, {"id": "b"}]
    assert await model.list_windows() == {"qwen/qwen3": 32768}
    api.models = [{"id": "x" * 5_000_000}]
    with pytest.raises(ModelUnavailable, match="more than 4,000,000 bytes"):
        await model.list_windows()
    api.models = None
    with pytest.raises(ModelRejected):
        await model.list_windows()


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"data": {"id": "a"}}, {"data": [None, {"id": "a"}, {"id": 1, "max_model_len": 5}, {"id": "a", "max_model_len": "5"}, {"id": "a", "max_model_len": -1}]}])  # fmt: skip
def test_whatever_an_endpoint_lists_that_says_no_window_is_none(answer: object) -> None:
    assert windows_in(answer) == {}
