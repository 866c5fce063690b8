"""The socket that the gateway listens on."""

import asyncio
import socket

from picklebot.gateway.port import bind


async def test_an_answer_does_not_wait_until_its_head_is_acknowledged() -> None:
    """Nagle's algorithm is off: a head and a body that are written apart took 40 ms."""
    found = asyncio.get_running_loop().create_future()

    async def accept(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.set_result(writer.get_extra_info("socket").getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    async with await asyncio.start_server(accept, sock=bind("127.0.0.1", 0)) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
    assert await found
