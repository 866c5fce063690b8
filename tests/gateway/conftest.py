"""The whole daemon with its gateway on a free port of this machine, and clients that talk to it.

    async def test_something(serve: Serve) -> None:
        async with serve(ScriptedModel("hello")) as site:          # the daemon runs; `site.app` is its App
            answer = await site.http.get("/api/status")            # httpx2, with the token
            answer = await site.stranger.get("/api/status")        # httpx2, without
            async with site.socket(client="ann") as ws:            # /ws, with the token
                await ws.say("hi", key="m1")                       # a `message` frame
                accepted = await ws.until("accepted")              # skips other frames, and keeps them in `ws.seen`
                reply = await ws.event("OutboundEvent")            # the next event of that type, as its JSON

`serve(..., use_clock=SystemClock())` runs on real time; without it `site.clock` stands still. Settings of the gateway
are added to the workspace's config.yaml with the `gateway` fixture: `gateway(max_connections=3)`, before `serve`.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import httpx2
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from picklebot.app import App, open_app
from picklebot.clock import Clock
from picklebot.config import load
from picklebot.lock import holder_of
from picklebot.models.base import Model, ModelEvent, ModelRequest
from picklebot.testing import FakeClock, ScriptedModel
from picklebot.workspace import Workspace
from tests.flow.conftest import OneModel as OneModel
from tests.flow.conftest import agent as agent
from tests.flow.conftest import mine as mine


class Always:
    """A model that gives the same answer to everybody, for ever."""

    name = "always"

    def __init__(self, words: str = "yes") -> None:
        self._words = words

    async def stream(self, request: ModelRequest) -> AsyncGenerator[ModelEvent, None]:
        async for event in ScriptedModel(self._words).stream(request):
            yield event

    async def aclose(self) -> None: ...


PATIENCE = 20.0  #: seconds until something that should happen counts as missing
TOKEN = "QJZX" * 11  #: what is streamed waits while it may be the beginning of a token: of a random one, now and then


class Socket:
    """One WebSocket. What it reads is kept in `seen`."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection
        self.seen: list[dict[str, Any]] = []

    async def send(self, frame: object) -> None:
        """Send a frame; text goes as it is."""
        await self.connection.send(frame if isinstance(frame, str | bytes) else json.dumps(frame))

    async def say(self, content: str, *, key: str, **wishes: str) -> None:
        """Send a `message` frame."""
        await self.send({"type": "message", "id": key, "content": content, **wishes})

    async def read(self) -> dict[str, Any]:
        """Return the next frame."""
        async with asyncio.timeout(PATIENCE):
            frame: dict[str, Any] = json.loads(await self.connection.recv())
        self.seen.append(frame)
        return frame

    async def until(self, kind: str) -> dict[str, Any]:
        """Return the next frame of a type."""
        while (frame := await self.read())["type"] != kind:
            pass
        return frame

    async def closed(self) -> int | None:
        """Read until the daemon ends the connection; return the code that it says."""
        try:
            while True:
                await self.read()
        except ConnectionClosed as exc:
            return exc.rcvd.code if exc.rcvd is not None else None

    async def event(self, kind: str) -> dict[str, Any]:
        """Return the next event of a type, with its seq if it has one."""
        while (frame := await self.until("event"))["event"]["type"] != kind:
            pass
        return {**frame["event"], "seq": frame.get("seq")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A daemon that listens at `url`. `http` has the token; `stranger` has not."""

    app: App
    url: str
    token: str
    clock: FakeClock
    http: httpx2.AsyncClient
    stranger: httpx2.AsyncClient
    stop: Callable[[], None]
    """Stops the daemon, as the end of the block does."""

    @property
    def bearer(self) -> dict[str, str]:
        """The header with the token."""
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def host(self) -> str:
        """Its name and port."""
        return self.url.removeprefix("http://")

    @asynccontextmanager
    async def socket(self, *, client: str | None = None, **headers: str) -> AsyncIterator[Socket]:
        """Connect to /ws with the token, and with further headers, such as Origin."""
        query = f"?client={client}" if client else ""
        address = f"ws://{self.host}/ws{query}"
        async with connect(address, additional_headers={**self.bearer, **headers}, proxy=None) as connection:
            yield Socket(connection)


async def raw(site: Site, *lines: str, whole: bool = True) -> tuple[int, dict[str, str], str]:
    """Send a head letter by letter, with its end if `whole`; return status, headers and body of what comes back."""
    reader, writer = await asyncio.open_connection(*site.host.split(":"))
    writer.write("\r\n".join([*lines, *(["", ""] if whole else [])]).encode("latin-1"))
    async with asyncio.timeout(PATIENCE):
        answer = (await reader.read()).decode()
    writer.close()
    head, _, text = answer.partition("\r\n\r\n")
    status, *fields = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (field.partition(":") for field in fields)}
    return int(status.split()[1]), headers, text


async def logged_in(site: Site) -> dict[str, str]:
    """Log a browser in; return its cookie."""
    link = (await site.http.post("/api/login")).json()["url"]
    answer = await site.stranger.get(link)
    site.stranger.cookies.clear()
    assert answer.status_code == 303
    return {"Cookie": answer.headers["Set-Cookie"].partition(";")[0]}


def code(answer: httpx2.Response) -> tuple[int, str]:
    """Return the status of a refusal, and its code."""
    return answer.status_code, answer.json()["error"]["code"]


async def refused(site: Site, **headers: str) -> int:
    """Return the status with which a WebSocket is refused."""
    with pytest.raises(InvalidStatus) as caught:
        async with connect(f"ws://{site.host}/ws", additional_headers=headers, proxy=None):
            pass
    return caught.value.response.status_code


class Serve(Protocol):
    """Runs a daemon with a gateway for as long as the block lasts. `own_token`: it makes one itself, if there is none."""

    def __call__(
        self, model: Model, *, use_clock: Clock | None = None, grace: float = 5.0, own_token: bool = False
    ) -> AbstractAsyncContextManager[Site]: ...


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def gateway(workspace: Path) -> Callable[..., None]:
    """Set something of the gateway: `gateway(port=8765)`."""

    def write(**settings: object) -> None:
        config = workspace / "config.yaml"
        kept = [line for line in config.read_text().splitlines() if not line.startswith("gateway:")]
        config.write_text("\n".join([*kept, f"gateway: {json.dumps({'port': 0, **settings})}"]) + "\n")

    return write


@pytest.fixture
def serve(workspace: Path, clock: FakeClock, gateway: Callable[..., None]) -> Serve:
    gateway()

    @asynccontextmanager
    async def serving(
        model: Model, *, use_clock: Clock | None = None, grace: float = 5.0, own_token: bool = False
    ) -> AsyncGenerator[Site, None]:
        stop, ready = asyncio.Event(), asyncio.Event()
        place = Workspace(workspace)
        place.prepare()
        if not own_token and not place.token_file.exists():
            place.token_file.touch(0o600)
            place.token_file.write_text(TOKEN)
        opened = open_app(load(place, {}), clock=use_clock or clock, models=OneModel(model))
        async with opened as app, asyncio.TaskGroup() as group:
            group.create_task(app.run(stop, ready=ready.set, grace=grace), name="daemon")
            await ready.wait()
            holder = holder_of(place.lock_file, place.daemon_file)
            assert holder is not None
            assert holder.url is not None
            token = place.token_file.read_text().strip()
            headers = {"Authorization": f"Bearer {token}"}
            async with client(holder.url) as stranger, client(holder.url, headers) as http:
                try:
                    yield Site(
                        app=app,
                        url=holder.url,
                        token=token,
                        clock=clock,
                        http=http,
                        stranger=stranger,
                        stop=stop.set,
                    )
                finally:
                    stop.set()

    return serving


def client(url: str, headers: dict[str, str] | None = None) -> httpx2.AsyncClient:
    """Return an HTTP client that believes no environment."""
    return httpx2.AsyncClient(base_url=url, headers=headers, timeout=PATIENCE, trust_env=False)
