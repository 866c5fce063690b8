"""How long a connection may keep us waiting (S14), on a listener with little patience."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import pytest
from starlette.types import Receive, Scope, Send
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from picklebot.gateway.listener import Listener, Patience
from picklebot.gateway.port import bind
from tests.gateway.conftest import PATIENCE


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Take any WebSocket, and wait until it ends."""
    assert (await receive())["type"] == "websocket.connect"
    await send({"type": "websocket.accept"})
    while (await receive())["type"] != "websocket.disconnect":
        pass


@asynccontextmanager
async def listening(patience: Patience) -> AsyncIterator[tuple[str, int]]:
    with closing(bind("127.0.0.1", 0)) as bound:
        listener, ready = Listener(app, bound, connections=9, patience=patience), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(listener.run(ready.set), name="listener")
            await ready.wait()
            try:
                yield bound.getsockname()
            finally:
                listener.stop()


@pytest.mark.parametrize("begun", [b"", b"GET /healthz HTTP/1.1\r\nHost: x\r\n", b"G"])
async def test_s14_a_head_that_does_not_come_is_not_waited_for(begun: bytes) -> None:
    async with listening(Patience(head=0.05)) as address:
        reader, writer = await asyncio.open_connection(*address)
        writer.write(begun)
        async with asyncio.timeout(PATIENCE):
            answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code": "too_slow"' in answer
        writer.close()


async def test_s14_a_socket_that_answers_no_ping_is_closed() -> None:
    async with listening(Patience(ping=0.05, pong=0.05)) as (host, port):
        reader, writer = await asyncio.open_connection(host, port)
        protocol = ClientProtocol(parse_uri(f"ws://{host}:{port}/"))
        protocol.send_request(protocol.connect())
        writer.write(b"".join(protocol.data_to_send()))  # and nothing of what it would answer later on
        async with asyncio.timeout(PATIENCE):
            protocol.receive_data(await reader.read())
        kinds = [event.opcode for event in protocol.events_received() if isinstance(event, Frame)]
        assert kinds == [Opcode.PING, Opcode.CLOSE]
        assert protocol.close_rcvd is not None
        assert protocol.close_rcvd.code == 1011
        writer.close()
