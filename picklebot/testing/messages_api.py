"""A Messages API on loopback, for tests that want the real client and no model.

    async with MessagesApi("hello", status(529), "after all") as api:
        model = anthropic.create(name="claude-sonnet-5-5", base_url=api.url, api_key="test", max_tokens=1000)

Promises the shapes, the refusals and the cache accounting of the real one (version 2026-10-21), streamed or not, and
an instant answer. Knows no model. From a shell: `python -m picklebot.testing.messages_api --port 8080`.
"""

import argparse
import asyncio
import json
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from picklebot.testing.faults import Answer, Plan, status
from picklebot.testing.loopback_http import Connection, HTTPRequest
from picklebot.testing.prompt_cache import count_tokens
from picklebot.testing.request_rules import Refused, blocks_of, check_request
from picklebot.testing.script import Line, Script


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What a client asked: the parsed body, its headers by lower-case name, and the body as it came."""

    body: dict[str, Any]
    headers: dict[str, str]
    content: bytes = b""


class MessagesApi:
    """Answers each request with the next line of its script, then with `default`, then not at all.

    A line is a text, a `Message`, a `Fault`, or a function of the request's body that returns one of these. What the
    real API would refuse is refused with 400 and takes no line, a prompt of more than `window` tokens included. Requests
    are kept in `requests`, the last `keep`.
    """

    def __init__(
        self,
        *script: Line,
        default: Line | None = None,
        api_key: str | None = None,
        keep: int = 1_000,
        window: int | None = None,
    ) -> None:
        self.window = window
        self.models: list[dict[str, Any]] | None = None  #: what is answered to who asks for the models that there are
        self.list_count = 0
        self.requests: deque[Request] = deque(maxlen=keep)
        self.request_count = 0
        self.connection_count = 0
        self.hangups = 0  #: answers that a client walked away from
        self.url = ""
        self._script = Script(script, default)
        self._api_key = api_key
        self._connections: set[Connection] = set()
        self._waiters: set[asyncio.Event] = set()
        self._server: asyncio.Server | None = None

    async def start(self, port: int = 0) -> None:
        """Listen on loopback; port 0 takes any that is free. `url` says where."""
        self._server = await asyncio.get_running_loop().create_server(self._connect, "127.0.0.1", port, backlog=1024)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def aclose(self) -> None:
        """Stop listening and drop every client."""
        if self._server:
            self._server.close()
            for connection in tuple(self._connections):
                connection.abort()
            await self._server.wait_closed()
            self._server = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.aclose()

    def extend(self, *script: Line) -> None:
        """Add lines to the script."""
        self._script.extend(script)

    async def asked(self, count: int = 1) -> None:
        """Wait until `count` requests have come since the start."""
        await self._until(lambda: self.request_count >= count)

    async def listed(self, count: int = 1) -> None:
        """Wait until clients have asked `count` times which models there are."""
        await self._until(lambda: self.list_count >= count)

    async def hung_up(self, count: int = 1) -> None:
        """Wait until clients have walked away from `count` answers."""
        await self._until(lambda: self.hangups >= count)

    async def _until(self, fact: Callable[[], bool]) -> None:
        changed = asyncio.Event()
        self._waiters.add(changed)
        try:
            async with asyncio.timeout(10):
                while not fact():
                    await changed.wait()
                    changed.clear()
        finally:
            self._waiters.discard(changed)

    def _changed(self) -> None:
        for waiter in self._waiters:
            waiter.set()

    def _connect(self) -> Connection:
        connection = Connection(self._respond, self._disconnect)
        self._connections.add(connection)
        self.connection_count += 1
        return connection

    def _disconnect(self, connection: Connection, unfinished: bool) -> None:
        self._connections.discard(connection)
        self.hangups += unfinished
        self._changed()

    def _respond(self, request: HTTPRequest) -> Plan:
        path = request.path.partition("?")[0]
        if (request.method, path) == ("GET", "/v1/models"):
            self.list_count += 1
            self._changed()
            if self.models is None:
                return status(404).plan(_NOTHING)
            return status(200, {"data": self.models, "has_more": False}).plan(_NOTHING)
        if request.method != "POST" or path != "/v1/messages":
            return status(404).plan(_NOTHING)
        try:
            body = json.loads(request.content)
            self.requests.append(Request(body=body, headers=request.headers, content=request.content))
            self.request_count += 1
            self._changed()
            self._check(request.headers, body)
        except ValueError as exc:
            error = {"type": "invalid_request_error", "message": str(exc)}
            return status(400, {"type": "error", "error": error}).plan(_NOTHING)
        except PermissionError as exc:
            error = {"type": "authentication_error", "message": str(exc)}
            return status(401, {"type": "error", "error": error}).plan(_NOTHING)
        return self._script.answer(body)

    def _check(self, headers: Mapping[str, str], body: Any) -> None:
        if self._api_key is not None and self._api_key not in {
            headers.get("x-api-key"),
            headers.get("authorization", "").removeprefix("Bearer "),
        }:
            raise PermissionError("invalid x-api-key")
        if "anthropic-version" not in headers:
            raise Refused("anthropic-version: header is required")
        check_request(body)
        if self.window is not None and (tokens := count_tokens(body)) > self.window:
            raise Refused(f"prompt is too long: {tokens} tokens > {self.window} maximum")


_NOTHING = Answer(head=b"", pieces=())


def echo(body: Mapping[str, Any]) -> str:
    """Answer with what the user said last: a line for any script."""
    for message in reversed(body["messages"]):
        if message["role"] == "user":
            texts = [block["text"] for block in blocks_of(message["content"]) if block["type"] == "text"]
            if texts:
                return f"echo: {texts[-1]}"
    return "echo: "


async def serve(port: int, reply: str | None) -> None:
    """Answer until cancelled; the first line on stdout is the URL."""
    api = MessagesApi(default=reply if reply is not None else echo)
    await api.start(port)
    sys.stdout.write(f"{api.url}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await api.aclose()


def main() -> None:
    """Run the server from a shell."""
    parser = argparse.ArgumentParser(
        prog="python -m picklebot.testing.messages_api", description="An instant Messages API."
    )
    parser.add_argument("--port", type=int, default=0, help="the port on 127.0.0.1; any free one by default")
    parser.add_argument("--reply", help="what to answer; by default it echoes")
    options = parser.parse_args()
    try:
        asyncio.run(serve(options.port, options.reply))
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
