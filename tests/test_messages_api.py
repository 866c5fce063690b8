"""The Messages API that we ship for tests: it answers, refuses and counts as the real one does."""

import asyncio
import json
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator
from typing import Any

import pytest

from picklebot.core.messages import Message, ToolResult
from picklebot.testing.faults import cut, slow, stall, status, stop_reason
from picklebot.testing.messages_api import MessagesApi, echo

CALL = {"type": "tool_use", "id": "toolu_1", "name": "bash", "input": {"command": "ls"}}
HELLO = {"role": "user", "content": "hello"}


class Client:
    """A bare HTTP client on one connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    def send(
        self, body: Any, *, path: str = "/v1/messages", headers: str = "anthropic-version: 2026-10-21\r\n"
    ) -> None:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nHost: test\r\n{headers}Content-Length: {len(content)}\r\n\r\n"
        self.writer.write(head.encode() + content)

    async def receive(self) -> tuple[int, dict[str, str], bytes]:
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().splitlines()
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        content = b""
        if "content-length" in headers:
            content = await self.reader.readexactly(int(headers["content-length"]))
        else:
            while size := int(await self.reader.readline(), 16):
                content += (await self.reader.readexactly(size + 2))[:-2]
            await self.reader.readline()
        return int(head[0].split()[1]), headers, content

    async def ask(self, *messages: Any, **fields: Any) -> dict[str, Any]:
        self.send({"model": "m", "max_tokens": 100, "messages": messages or [HELLO], **fields})
        code, _, content = await self.receive()
        return {"status": code, **json.loads(content)}

    async def refusal(self, *messages: Any, **fields: Any) -> str:
        answer = await self.ask(*messages, **fields)
        assert (answer["status"], answer["error"]["type"]) == (400, "invalid_request_error")
        return str(answer["error"]["message"])


@pytest.fixture
async def api() -> AsyncIterator[MessagesApi]:
    async with MessagesApi() as api:
        yield api


@pytest.fixture
async def client(api: MessagesApi) -> AsyncIterator[Client]:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
    yield Client(reader, writer)
    writer.close()


async def test_lines_are_answered_in_order_then_the_default_for_ever() -> None:
    async with MessagesApi("one", lambda body: f"{body['model']} two", default="rest") as api:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
        client = Client(reader, writer)
        texts = [(await client.ask())["content"][0]["text"] for _ in range(4)]
        writer.close()
    assert texts == ["one", "m two", "rest", "rest"]


async def test_a_script_without_more_lines_refuses(client: Client) -> None:
    assert "no more lines" in await client.refusal()


async def test_an_answer_has_the_shape_of_the_real_one(api: MessagesApi, client: Client) -> None:
    api.extend(Message("assistant", ({"type": "text", "text": "look"}, CALL)))
    answer = await client.ask()
    assert answer == {
        "status": 200,
        "id": "msg_000001",
        "type": "message",
        "role": "assistant",
        "model": "m",
        "content": [{"type": "text", "text": "look"}, CALL],
        "stop_reason": "tool_use",
        "stop_sequence": None,
        "usage": answer["usage"],
    }


async def test_a_stream_says_the_same_in_pieces(api: MessagesApi, client: Client) -> None:
    api.extend(Message("assistant", ({"type": "text", "text": "grüße"}, CALL)))
    client.send({"model": "m", "max_tokens": 100, "messages": [HELLO], "stream": True})
    code, headers, content = await client.receive()
    assert (code, headers["content-type"], headers["request-id"]) == (
        200,
        "text/event-stream; charset=utf-8",
        "req_000001",
    )
    frames = [frame.split("\n") for frame in content.decode().strip().split("\n\n")]
    events = [json.loads(data.removeprefix("data: ")) for _, data in frames]
    assert [name.removeprefix("event: ") for name, _ in frames] == [event["type"] for event in events]
    assert [events[0]["type"], events[-2]["type"], events[-1]["type"]] == [
        "message_start",
        "message_delta",
        "message_stop",
    ]
    deltas = [event["delta"] for event in events if event["type"] == "content_block_delta"]
    texts = [delta["text"] for delta in deltas if delta["type"] == "text_delta"]
    inputs = [delta["partial_json"] for delta in deltas if delta["type"] == "input_json_delta"]
    assert ("".join(texts), json.loads("".join(inputs))) == ("grüße", CALL["input"])
    assert len(texts) > 1
    assert len(inputs) > 1


async def test_requests_are_remembered_with_their_headers(api: MessagesApi, client: Client) -> None:
    api.extend("ok")
    await client.ask(max_tokens=7)
    assert api.requests[0].body["max_tokens"] == 7
    assert api.requests[0].headers["host"] == "test"
    assert api.request_count == 1


async def test_requests_sent_at_once_are_answered_in_order(api: MessagesApi, client: Client) -> None:
    api.extend(slow(0.01, reply="first"), "second")
    for _ in range(2):
        client.send({"model": "m", "max_tokens": 1, "messages": [HELLO]})
    answers = [json.loads((await client.receive())[2])["content"][0]["text"] for _ in range(2)]
    assert answers == ["first", "second"]


async def test_another_path_is_not_there(client: Client) -> None:
    client.send({}, path="/v1/complete")
    assert (await client.receive())[0] == 404


async def test_the_key_is_checked_where_one_is_set() -> None:
    async with MessagesApi(default="ok", api_key="right") as api:
        reader, writer = await asyncio.open_connection("127.0.0.1", int(api.url.rpartition(":")[2]))
        client, codes = Client(reader, writer), []
        for line in ("x-api-key: right", "Authorization: Bearer right", "x-api-key: wrong", "x-none: right"):
            body = {"model": "m", "max_tokens": 1, "messages": [HELLO]}
            client.send(body, headers=f"anthropic-version: 2026-10-21\r\n{line}\r\n")
            codes.append((await client.receive())[0])
        writer.close()
    assert codes == [200, 200, 401, 401]


async def test_a_request_that_is_not_json_or_names_no_version_is_refused(client: Client) -> None:
    for content, headers in ((b"{", "anthropic-version: 1\r\n"), (b"[]", "anthropic-version: 1\r\n"), (b"{}", "")):
        client.send(content, headers=headers)
        assert (await client.receive())[0] == 400


def said(*blocks: dict[str, Any], role: str = "assistant") -> dict[str, Any]:
    return {"role": role, "content": list(blocks)}


def result(call_id: str) -> dict[str, Any]:
    return dict(ToolResult(call_id, "x").block())


TEXT = {"type": "text", "text": "x"}


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([{"role": "robot", "content": "x"}], "messages.0.role"),
        ([{"role": "user", "content": []}], "non-empty content"),
        ([{"role": "user", "content": 3}], "content"),
        ([{"role": "user", "content": [{"text": "x"}]}], "content"),
        ([{"role": "user", "content": " "}], "text content blocks must be non-empty"),
        (["hello"], "messages.0.role"),
        ([said(TEXT), HELLO], "first message must use the user role"),
        ([HELLO, said(TEXT)], "prefill"),
        ([HELLO, said(CALL)], "without `tool_result` blocks immediately after: toolu_1"),
        ([HELLO, said(CALL), HELLO], "without `tool_result` blocks immediately after: toolu_1"),
        ([HELLO, said(result("toolu_9"), role="user")], "unexpected `tool_use_id`"),
        ([HELLO, said(CALL), said(result("toolu_1"), result("toolu_1"), role="user")], "single result"),
        ([HELLO, said(CALL), said(TEXT, result("toolu_1"), role="user")], "must come first"),
        ([HELLO, said(CALL, CALL), said(result("toolu_1"), role="user")], "ids must be unique"),
        ([HELLO, said({**CALL, "id": "a b"}), said(result("a b"), role="user")], "tool_use.id"),
        ([HELLO, said({**CALL, "input": "x"}), said(result("toolu_1"), role="user")], "tool_use.input"),
        ([said({"type": "thinking", "thinking": "x", "cache_control": {}}, role="user")], "cache_control"),
        ([said(*[{**TEXT, "cache_control": {"type": "ephemeral"}}] * 5, role="user")], "maximum of 4"),
    ],
)
async def test_a_conversation_that_the_real_api_refuses_is_refused(client: Client, messages: Any, words: str) -> None:
    assert words in await client.refusal(*messages)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"max_tokens": 0}, "max_tokens"),
        ({"max_tokens": "9"}, "max_tokens"),
        ({"model": ""}, "model"),
        ({"messages": []}, "messages"),
        ({"temperature": 1}, "temperature: Extra inputs are not permitted"),
        ({"system": [{"type": "text", "text": ""}]}, "non-empty"),
        ({"tools": [{"name": "a b", "input_schema": {"type": "object"}}]}, "tools.0.name"),
        ({"tools": [{"name": "a", "input_schema": {}}]}, "input_schema"),
        ({"tools": [{"name": "a", "input_schema": {"type": "object"}}] * 2}, "unique"),
    ],
)
async def test_settings_that_the_real_api_refuses_are_refused(client: Client, fields: Any, words: str) -> None:
    client.send({"model": "m", "max_tokens": 1, "messages": [HELLO], **fields})
    code, _, content = await client.receive()
    assert code == 400
    assert words in json.loads(content)["error"]["message"]


async def test_a_marked_prefix_is_written_once_and_read_after(api: MessagesApi, client: Client) -> None:
    api.extend("a", "b", "c")
    mark = {"cache_control": {"type": "ephemeral"}}
    first = {"role": "user", "content": [{"type": "text", "text": "q" * 400, **mark}]}
    rest = [
        {**first, "content": [{"type": "text", "text": "q" * 400}]},
        said(TEXT),
        said({**TEXT, **mark}, role="user"),
    ]
    one, two, other = [
        (await client.ask(*messages, model=model))["usage"]
        for messages, model in (([first], "m"), (rest, "m"), ([first], "n"))
    ]
    assert (one["cache_read_input_tokens"], one["input_tokens"]) == (0, 0)
    assert one["cache_creation_input_tokens"] > 100
    assert two["cache_read_input_tokens"] == one["cache_creation_input_tokens"]
    assert two["cache_creation_input_tokens"] > 0
    assert other["cache_read_input_tokens"] == 0, "another model has another cache"


async def test_faults_spoil_plain_answers_too(api: MessagesApi, client: Client) -> None:
    api.extend(stop_reason("refusal"), status(529), cut(1))
    assert (await client.ask())["stop_reason"] == "refusal"
    assert (await client.ask())["error"]["type"] == "overloaded_error"
    client.send({"model": "m", "max_tokens": 1, "messages": [HELLO]})
    _, _, content = await client.receive()
    with pytest.raises(ValueError, match=r"."):
        json.loads(content)


async def test_a_client_that_walks_away_is_noticed(api: MessagesApi, client: Client) -> None:
    api.extend(stall(1))
    client.send({"model": "m", "max_tokens": 1, "messages": [HELLO], "stream": True})
    await api.asked()
    assert api.hangups == 0
    client.writer.close()
    await api.hung_up()


def test_the_echo_is_what_the_user_said_last() -> None:
    answered = Message.results([ToolResult("toolu_1", "x")], note="note").wire()
    assert echo({"messages": [HELLO]}) == "echo: hello"
    assert echo({"messages": [HELLO, said(CALL), answered]}) == "echo: note"
    assert echo({"messages": [HELLO, said(CALL), said(result("toolu_1"), role="user")]}) == "echo: hello"
    assert echo({"messages": [said({"type": "image"}, role="user")]}) == "echo: "


@pytest.mark.parametrize(("options", "reply"), [([], "echo: hello"), (["--reply", "yes"], "yes")])
def test_it_serves_from_a_shell(options: list[str], reply: str) -> None:
    command = [sys.executable, "-m", "picklebot.testing.messages_api", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout
        url = server.stdout.readline().strip()
        body = json.dumps({"model": "m", "max_tokens": 1, "messages": [HELLO]}).encode()
        request = urllib.request.Request(f"{url}/v1/messages", body, {"anthropic-version": "2026-10-21"})
        with urllib.request.urlopen(request, timeout=10) as response:
            answer = json.load(response)
        server.terminate()
    assert answer["content"] == [{"type": "text", "text": reply}]
