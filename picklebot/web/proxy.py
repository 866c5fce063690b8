"""A proxy for programs in a sandbox: the hosts that their owner listed, and nothing else.

Promises that a name is looked up once, that every address it has is checked before one is used, and that the connection
goes to one that was checked; that each is logged with its bytes; and that a program which does not answer, or sends without
end, costs a bounded amount. What is encrypted is not looked into. Knows no sandbox.
"""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from picklebot.errors import ToolDenied, ToolError
from picklebot.web.addresses import Reach
from picklebot.web.reaching import Lookup, look_up
from picklebot.web.wishes import Wish, read_wish

logger = logging.getLogger(__name__)

AT_ONCE = 64  #: connections; further ones are refused
MAX_HEAD = 16_384  #: bytes of a request's first lines
HEAD_SECONDS, CONNECT_SECONDS, SECONDS = 10.0, 5.0, 900.0  #: for these lines, to connect to an address, and for all
MAX_BYTES = 2_000_000_000  #: of one connection, each way
_CHUNK = 65_536


class Proxy:
    """Lets connections through to `hosts`: names, or `*.name` for all names below it."""

    def __init__(self, hosts: Sequence[str], *, reach: Reach, lookup: Lookup = look_up) -> None:
        self._hosts = tuple(hosts)
        self._reach = reach
        self._lookup = lookup
        self._open = 0

    @asynccontextmanager
    async def serve(self, path: Path) -> AsyncGenerator[None, None]:
        """Listen at a unix socket for as long as the block lasts."""
        async with asyncio.TaskGroup() as group:

            def came(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                tasks.add(task := group.create_task(self._answer(reader, writer), name="way out"))
                task.add_done_callback(tasks.discard)

            tasks: set[asyncio.Task[None]] = set()
            server = await asyncio.start_unix_server(came, sock=_bound(path), limit=MAX_HEAD)
            try:
                yield
            finally:
                server.close()
                for task in tasks:
                    task.cancel()
                await asyncio.to_thread(path.unlink, missing_ok=True)

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open += 1
        try:
            async with asyncio.timeout(SECONDS):
                await self._let_through(reader, writer)
        except (ToolDenied, ToolError) as exc:
            logger.info("a program in the sandbox was refused: %s", exc)
            with suppress(OSError):
                writer.write(_refusal(403 if isinstance(exc, ToolDenied) else 502, str(exc)))
                await writer.drain()
        except (OSError, EOFError, TimeoutError, asyncio.LimitOverrunError) as exc:
            logger.debug("a program in the sandbox hung up, or did not say what it wants: %s", exc)
        finally:
            self._open -= 1
            writer.close()

    async def _let_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._open > AT_ONCE:
            raise ToolError(f"more than {AT_ONCE} connections are open")
        async with asyncio.timeout(HEAD_SECONDS):
            wish = read_wish(await reader.readuntil(b"\r\n\r\n"))
        beyond = await self._connect(wish)
        out, back = _Count(), _Count()
        try:
            if wish.opening:
                beyond[1].write(wish.opening)
            else:
                writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            async with asyncio.TaskGroup() as group:
                group.create_task(_pour(reader, beyond[1], out), name="way out, there")
                group.create_task(_pour(beyond[0], writer, back), name="way out, back")
        except* OSError:
            pass  # one of them hung up
        finally:
            beyond[1].close()
            bytes_ = len(wish.opening) + out.total, back.total
            logger.info(
                "a program in the sandbox reached %s port %d: %d bytes out, %d back", wish.host, wish.port, *bytes_
            )

    async def _connect(self, wish: Wish) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if not any(_matches(wish.host, each) for each in self._hosts):
            raise ToolDenied(f"{wish.host} is not among sandbox.hosts in config.yaml")
        try:
            addresses = await self._lookup(wish.host, wish.port)
        except OSError as exc:
            raise ToolError(f"there is no host {wish.host!r}, or its name cannot be looked up now") from exc
        for address in addresses:
            self._reach.check(wish.host, address, wish.port)
        for address in addresses:
            with suppress(OSError):  # a wait that is over is one too
                async with asyncio.timeout(CONNECT_SECONDS):
                    return await asyncio.open_connection(address, wish.port)
        raise ToolError(f"{wish.host} does not answer at port {wish.port}")


class _Count:
    def __init__(self) -> None:
        self.total = 0


async def _pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, count: _Count) -> None:
    while chunk := await reader.read(_CHUNK):
        count.total += len(chunk)
        if count.total > MAX_BYTES:
            raise ConnectionAbortedError(f"more than {MAX_BYTES:,} bytes")
        writer.write(chunk)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()


def _matches(host: str, listed: str) -> bool:
    return host.endswith(listed[1:]) if listed.startswith("*.") else host == listed


def _refusal(status: int, words: str) -> bytes:
    """Return the answer; the words stand in its first line, because that is what programs show."""
    body = words.encode("ascii", "replace").replace(b"\r", b" ").replace(b"\n", b" ")
    head = f"Content-Type: text/plain\r\nContent-Length: {len(body) + 1}\r\nConnection: close\r\n\r\n"
    return b"HTTP/1.1 %d %b\r\n%b%b\n" % (status, body, head.encode(), body)


def _bound(path: Path) -> socket.socket:
    """Return a socket at `path`, which may be longer than an address may be."""
    path.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.bind(f"/proc/self/fd/{folder}/{path.name}")
        path.chmod(0o600)
    finally:
        os.close(folder)
    return made
