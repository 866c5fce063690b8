"""Stdin and stdout as the two sides of a conversation between programs.

Promises that nothing but the conversation is written to stdout, whatever prints in this process or its children, that
a line too long to be a request is answered and costs nothing more, and that the end of stdin is heard only once
nothing is in hand. Knows no protocol but the shape of its errors.
"""

import asyncio
import io
import json
import os
import stat
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

MAX_LINE = 4_000_000  #: bytes of one request
INVALID_REQUEST = -32600  #: JSON-RPC 2.0, section 5.1


class Out:
    """Where what we say goes. Nobody who reads any more is no error: the end of stdin says so too."""

    def __init__(self, write: Callable[[bytes], Awaitable[None]]) -> None:
        self._write = write
        self._turn = asyncio.Lock()
        self._gone = False

    async def write(self, text: str) -> None:
        """Write a whole line."""
        async with self._turn:
            if self._gone:
                return
            try:
                await self._write(text.encode("utf-8", "replace"))
            except OSError:
                self._gone = True

    async def flush(self) -> None:
        """Do nothing: a line that was written is on its way."""


class _Source(Protocol):
    async def line(self) -> bytes | None:
        """Return a line; b"" at the end, None for one that is too long."""
        ...


class Lines:
    """What is said to us, line by line. `idle` returns once nothing is in hand."""

    def __init__(self, source: _Source, out: Out, idle: Callable[[], Awaitable[object]]) -> None:
        self._source = source
        self._out = out
        self._idle = idle

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        while True:
            line = await self._source.line()
            if line is None:
                await self._out.write(_too_long())
            elif not line:
                await self._idle()
                raise StopAsyncIteration
            elif line.strip():
                return line.decode("utf-8", "replace")


def _too_long() -> str:
    error = {"code": INVALID_REQUEST, "message": f"a request may have {MAX_LINE:,} bytes"}
    return json.dumps({"jsonrpc": "2.0", "id": None, "error": error}) + "\n"


@asynccontextmanager
async def standard_streams(idle: Callable[[], Awaitable[object]]) -> AsyncGenerator[tuple[Lines, Out], None]:
    """Take stdin and stdout over; whoever else prints here prints to stderr from now on, and reads nothing."""
    given, taken = os.dup(0), os.dup(1)
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    with os.fdopen(given, "rb", buffering=0) as stdin, os.fdopen(taken, "wb", buffering=0) as stdout:
        out = Out(await _writing(stdout))
        yield Lines(await _reading(stdin), out, idle), out


def _waits(file: io.FileIO) -> bool:
    """Return whether reading or writing may have to wait for somebody; a plain file never has to."""
    mode = os.fstat(file.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or file.isatty()


async def _reading(file: io.FileIO) -> _Source:
    if not _waits(file):
        return _File(io.BufferedReader(file))
    reader = asyncio.StreamReader(limit=MAX_LINE)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), file)
    return _Pipe(reader)


async def _writing(file: io.FileIO) -> Callable[[bytes], Awaitable[None]]:
    if not _waits(file):

        async def put(text: bytes) -> None:
            await asyncio.to_thread(file.write, text)

        return put
    loop = asyncio.get_running_loop()
    made = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(asyncio.StreamReader()), file)
    writer = asyncio.StreamWriter(made[0], made[1], None, loop)

    async def send(text: bytes) -> None:
        writer.write(text)
        await writer.drain()

    return send


class _File:
    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    async def line(self) -> bytes | None:
        line = await asyncio.to_thread(self._file.readline, MAX_LINE)
        if len(line) < MAX_LINE or line.endswith(b"\n"):
            return line
        while line and not line.endswith(b"\n"):
            line = await asyncio.to_thread(self._file.readline, MAX_LINE)
        return None


class _Pipe:
    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader

    async def line(self) -> bytes | None:
        long = False
        while True:
            try:
                line = await self._reader.readuntil(b"\n")
            except asyncio.IncompleteReadError as exc:
                line = exc.partial
            except asyncio.LimitOverrunError as exc:
                await self._reader.readexactly(exc.consumed)
                long = True
                continue
            return None if long and line else line
