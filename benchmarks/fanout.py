"""Events to a thousand WebSockets: deliveries a second, beside a server that only writes frames; then with one stalled.

The clients are another process, which counts bytes. The bare server makes each frame once and writes it to every
transport, which is the least that anybody can do. Both send the same frames to the same clients, one after the other.
"""

import asyncio
import json
import multiprocessing
import resource
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from time import perf_counter
from typing import cast

from benchmarks.rows import Bar, Row, Scale
from picklebot.app import open_app
from picklebot.config import load
from picklebot.core.events import TextDelta
from picklebot.core.source import Source
from picklebot.gateway.hub import encode
from picklebot.workspace import Workspace

_HEAD = (
    "GET /ws HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)
_SUBSCRIBE = json.dumps({"type": "subscribe"}).encode()
_PATIENCE = 120.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Crowd:
    """How many clients there are, how many of them stop reading at once, and how many events they are shown."""

    clients: int
    stalled: int
    events: int

    @property
    def bytes(self) -> int:
        """What each of them is sent."""
        return len(encode(event(0))) * self.events


def run(scale: Scale) -> list[Row]:
    """Return deliveries a second, all reading and one stalled."""
    _allow_files()
    rows: list[Row] = []
    for case, stalled in (("all read", 0), ("one stalled", 1)):
        crowd = Crowd(clients=scale.of(1000, 20), stalled=stalled, events=scale.of(300, 20))
        bare = asyncio.run(_bare(crowd))
        ours = asyncio.run(_ours(_workspace(scale.folder / f"fanout-{stalled}", crowd), crowd))
        rows.append(
            Row(
                bench="fanout",
                case=f"{crowd.clients} clients, {case}",
                what="events shown",
                figure=ours,
                unit="/s",
                beside="bare asyncio",
                other=bare,
                bar=Bar(ratio=0.5),
            )
        )
    return rows


def _allow_files() -> None:
    """Let this process hold as many sockets as the machine allows."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def event(n: int) -> TextDelta:
    """Return one event of about 400 bytes."""
    return TextDelta(session_id="s", source=Source("bench", ("one",)), cause_id=f"{n:08}", text="x" * 200)


def _masked(payload: bytes) -> bytes:
    return b"\x81" + bytes([0x80 | len(payload)]) + b"\0\0\0\0" + payload


async def _bare(crowd: Crowd) -> float:
    transports: list[asyncio.Transport] = []

    class Bare(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            self.transport = cast("asyncio.Transport", transport)

        def data_received(self, data: bytes) -> None:
            if data.startswith(b"GET"):
                self.transport.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
                transports.append(self.transport)

    server = await asyncio.get_running_loop().create_server(Bare, "127.0.0.1", 0, backlog=crowd.clients)
    port = server.sockets[0].getsockname()[1]

    async def show() -> None:
        for n in range(crowd.events):
            ready = encode(event(n))
            for transport in transports:
                transport.write(ready)
            await asyncio.sleep(0)

    try:
        return await _measure(port, "", crowd, show)
    finally:
        server.close()
        for transport in transports:
            transport.abort()


def _workspace(root: Path, crowd: Crowd) -> Path:
    root.mkdir(parents=True)
    settings = f"model: {{provider: offline}}\ngateway: {{port: 0, max_connections: {crowd.clients + 10}}}\n"
    (root / "config.yaml").write_text(settings)
    return root


async def _ours(root: Path, crowd: Crowd) -> float:
    stop, ready = asyncio.Event(), asyncio.Event()
    async with open_app(load(Workspace(root), {})) as app, asyncio.TaskGroup() as group:
        group.create_task(app.run(stop, ready=ready.set), name="daemon")
        await ready.wait()

        async def show() -> None:
            for n in range(crowd.events):
                await app.bus.publish(event(n))
                await asyncio.sleep(0)

        daemon = json.loads((root / ".picklebot" / "daemon.json").read_text())
        token = (root / ".picklebot" / "token").read_text().strip()
        try:
            return await _measure(int(daemon["url"].rpartition(":")[2]), token, crowd, show)
        finally:
            stop.set()


async def _measure(port: int, token: str, crowd: Crowd, show: Callable[[], Awaitable[None]]) -> float:
    """Return deliveries a second to those who read."""
    spawn = multiprocessing.get_context("spawn")
    mine, theirs = spawn.Pipe()
    child = spawn.Process(target=_clients, args=(theirs, port, token, crowd))
    child.start()
    try:
        await asyncio.to_thread(_expect, mine, "connected")
        began = perf_counter()
        await show()
        await asyncio.to_thread(_expect, mine, "done")
        return (crowd.clients - crowd.stalled) * crowd.events / (perf_counter() - began)
    finally:
        child.terminate()
        await asyncio.to_thread(child.join)


def _expect(pipe: Connection, word: str) -> None:
    if not pipe.poll(_PATIENCE) or pipe.recv() != word:
        raise RuntimeError(f"the clients never said {word!r}")


def _clients(pipe: Connection, port: int, token: str, crowd: Crowd) -> None:
    _allow_files()
    asyncio.run(_watch(pipe, port, token, crowd))


class _Client(asyncio.Protocol):
    def __init__(self, head: bytes, *, stalls: bool, wanted: int) -> None:
        self._head = head
        self._wanted = wanted
        self._stalls = stalls
        self.open = asyncio.Event()
        self.full = asyncio.Event()
        self._bytes = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._head)

    def data_received(self, data: bytes) -> None:
        if self.open.is_set():
            self._bytes += len(data)
            if self._bytes >= self._wanted:
                self.full.set()
            return
        assert data.startswith(b"HTTP/1.1 101"), data
        self._transport.write(_masked(_SUBSCRIBE))
        self.open.set()
        if self._stalls:
            self._transport.pause_reading()


async def _watch(pipe: Connection, port: int, token: str, crowd: Crowd) -> None:
    head = _HEAD.format(host=f"127.0.0.1:{port}", token=token).encode()
    loop = asyncio.get_running_loop()
    made: list[_Client] = []
    for n in range(crowd.clients):
        client = _Client(head, stalls=n < crowd.stalled, wanted=crowd.bytes)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
        await client.open.wait()
        made.append(client)
    await asyncio.sleep(1.0)  # the last subscription is on its way
    pipe.send("connected")
    for client in made[crowd.stalled :]:
        await client.full.wait()
    pipe.send("done")
    await asyncio.sleep(_PATIENCE)
