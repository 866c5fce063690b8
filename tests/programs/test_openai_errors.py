"""What cannot be had, and what goes wrong, as OpenAI's own client tells it."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import openai
import pytest

from picklebot.errors import ModelRejected, ModelUnavailable
from picklebot.testing import ScriptedModel
from tests.gateway.conftest import Serve
from tests.programs.conftest import openai_client
from tests.programs.speaking import Held, assistant, calls, complete, either, user

WRONG: list[tuple[dict[str, Any], type[openai.APIStatusError], str]] = [
    ({"model": "nobody"}, openai.NotFoundError, "no agent is called 'nobody'"),
    ({"n": 2}, openai.BadRequestError, "n is 1"),
    ({"tools": [{"type": "function", "function": {"name": "f"}}]}, openai.BadRequestError, "tools of its own"),
    ({"response_format": {"type": "json_object"}}, openai.BadRequestError, "answers in text"),
    ({"messages": []}, openai.BadRequestError, "messages: "),
    ({"messages": [user("hi"), assistant("yes")]}, openai.BadRequestError, "must be the user's"),
    ({"messages": [user(" ")]}, openai.BadRequestError, "is empty"),
    ({"messages": [{"role": "robot", "content": "hi"}]}, openai.BadRequestError, r"messages\.0\.role"),
    (
        {"messages": [user([{"type": "image_url", "image_url": {"url": "data:,"}}])]},
        openai.BadRequestError,
        "only text is read here, not image_url",
    ),
]


@pytest.mark.parametrize(("given", "error", "words"), WRONG, ids=[words for _, _, words in WRONG])
async def test_what_cannot_be_had_is_refused_in_words_and_begins_nothing(
    serve: Serve, given: dict[str, Any], error: type[openai.APIStatusError], words: str
) -> None:
    async with serve(ScriptedModel()) as site, openai_client(site) as client:
        request: dict[str, Any] = {"model": "echo", "messages": [user("hi")], **given}
        with pytest.raises(error, match=words) as caught:
            await client.chat.completions.create(**request)
        assert caught.value.type == "invalid_request_error"
        assert (await site.app.store.ledger.counts()).accepted == 0


async def test_without_the_token_there_is_nothing(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site, openai_client(site, token="x" * 40) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.models.list()
        with pytest.raises(openai.AuthenticationError):
            await complete(client, user("hi"))


async def test_a_body_that_is_too_long_or_no_json_is_refused_in_openais_words(serve: Serve) -> None:
    async with serve(ScriptedModel()) as site, openai_client(site) as client:
        with pytest.raises(openai.APIStatusError) as caught:
            await complete(client, user("x" * 1_100_000))
        assert caught.value.status_code == 413
        answer = await site.http.post(
            "/v1/chat/completions", content=b"{", headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["error"]["message"]) == (400, "the body is no JSON")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("line", "status", "code"),
    [
        (ModelRejected("the key was refused"), 502, "model_error"),
        (ModelUnavailable("overloaded", retry_after=86_000), 503, "model_unavailable"),
    ],
)
async def test_a_turn_that_fails_is_an_error_that_the_client_does_not_repeat(
    serve: Serve, stream: bool, line: Exception, status: int, code: str
) -> None:
    model, key = ScriptedModel(line, "never"), {"Idempotency-Key": "k1"}
    async with serve(model) as site, openai_client(site, retries=3) as client:
        with pytest.raises(openai.APIError) as caught:
            await either(client, user("hi"), stream=stream, extra_headers=key)
        assert caught.value.code == code
        if not stream:
            assert isinstance(caught.value, openai.InternalServerError)
            assert caught.value.status_code == status
        assert len(model.requests) == 1
        with pytest.raises(openai.APIError) as again:  # it has ended by now, of which nobody tells a second time
            await either(client, user("hi"), stream=stream, extra_headers=key)
        assert (again.value.code, len(model.requests)) == (code, 1)


async def test_a_budget_that_is_spent_is_a_rate_limit(serve: Serve, workspace: Path) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("limits: {turn_steps: 1}\n")
    model = ScriptedModel(calls("glob", pattern="*"), "never")
    async with serve(model) as site, openai_client(site) as client:
        with pytest.raises(openai.RateLimitError) as caught:
            await complete(client, user("hi"))
        assert caught.value.code == "limit_reached"


async def test_a_full_queue_is_a_rate_limit_and_says_when_to_come_back(serve: Serve, workspace: Path) -> None:
    with (workspace / "config.yaml").open("a") as file:
        file.write("limits: {queue_per_session: 1}\n")
    first = Held("First.")
    async with serve(ScriptedModel(first)) as site, openai_client(site) as client:
        raw = await client.chat.completions.with_streaming_response.create(
            model="echo", messages=[{"role": "user", "content": "hi"}], stream=True
        ).__aenter__()
        name = {"X-Picklebot-Session": raw.headers["x-picklebot-session"]}
        with pytest.raises(openai.RateLimitError, match="already wait") as caught:
            await complete(client, user("more"), extra_headers=name)
        assert caught.value.code == "queue_full"
        assert int(caught.value.response.headers["retry-after"]) > 0
        first.go.set()
        await raw.close()


async def to_its_end(stream: openai.AsyncStream[Any]) -> None:
    async for _ in stream:
        pass


async def test_a_daemon_that_stops_says_so_in_the_stream_and_the_turn_goes_on_after(serve: Serve) -> None:
    waiting = Held("never said")
    async with AsyncExitStack() as life:
        site = await life.enter_async_context(serve(ScriptedModel(waiting), grace=0.2))
        async with openai_client(site) as client:
            stream = await complete(client, user("hi"), stream=True)
            await waiting.asked.wait()
            reading = asyncio.create_task(to_its_end(stream))
            await life.aclose()
            with pytest.raises(openai.APIError, match="the daemon stops; the answer comes after its restart"):
                await reading
    async with serve(ScriptedModel("Said after all.")) as site, site.socket() as ws:
        await ws.send({"type": "subscribe", "after": 0})
        assert (await ws.event("OutboundEvent"))["content"] == "Said after all."
