"""What stands in the place of a daemon that can be joined: each has its sentence and its exit code."""

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from websockets.asyncio.server import ServerConnection, serve

from picklebot.cli.link import error_of
from picklebot.errors import PicklebotError, QueueFull
from picklebot.lock import Holder, hold, holder_of
from picklebot.workspace import Workspace
from tests.cli.running import run


@asynccontextmanager
async def held(workspace: Path, url: str | None, *, role: str = "server") -> AsyncIterator[None]:
    """Hold the workspace as a daemon that listens at `url` would."""
    place = Workspace(workspace)
    place.prepare()
    place.token_file.write_text("t" * 43)
    with hold(place.lock_file, place.daemon_file, Holder(os.getpid(), role, "today", url)):
        yield


@asynccontextmanager
async def listening(
    answer: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    async def serve_one(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer(reader, writer)
        writer.close()

    server = await asyncio.start_server(serve_one, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def speaking(talk: Callable[[ServerConnection], Awaitable[None]]) -> AsyncIterator[str]:
    async with serve(talk, "127.0.0.1", 0) as server:
        yield f"http://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}"


async def ask(workspace: Path) -> subprocess.CompletedProcess[str]:
    return await asyncio.to_thread(run, workspace, "ask", "what is 6*7")


def plain(status: str) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()

    return answer


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        ("401 Unauthorized", 78, "does not take our token"),
        ("404 Not Found", 1, "is of another version of picklebot"),
        ("503 Service Unavailable", 75, "is too busy to be joined now"),
        ("200 OK", 4, "is no picklebot"),
        ("418 I'm a teapot", 4, "is no picklebot"),
    ],
)
async def test_each_answer_that_is_no_welcome_has_its_sentence(
    workspace: Path, status: str, code: int, words: str
) -> None:
    async with listening(plain(status)) as url, held(workspace, url):
        done = await ask(workspace)
        assert (done.returncode, words in done.stderr) == (code, True), done.stderr
        assert done.stdout == ""


async def test_what_speaks_no_http_is_no_picklebot(workspace: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")

    async with listening(answer) as url, held(workspace, url):
        done = await ask(workspace)
        assert (done.returncode, "is no picklebot" in done.stderr) == (4, True), done.stderr


async def test_a_websocket_that_says_something_else_is_no_picklebot(workspace: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send("hello there")
        await connection.wait_closed()

    async with speaking(talk) as url, held(workspace, url):
        done = await ask(workspace)
        assert (done.returncode, "is no picklebot" in done.stderr) == (4, True), done.stderr


async def test_a_daemon_of_another_version_says_which(workspace: Path) -> None:
    async def talk(connection: ServerConnection) -> None:
        await connection.send(json.dumps({"type": "welcome", "protocol": 99, "version": "9.9.9"}))
        await connection.wait_closed()

    async with speaking(talk) as url, held(workspace, url):
        done = await ask(workspace)
        assert done.returncode == 1
        assert "is picklebot 9.9.9, and this one cannot talk to it" in done.stderr


async def test_a_daemon_that_hangs_is_told_from_one_that_is_not_there(workspace: Path) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with listening(answer) as url, held(workspace, url):
        done = await ask(workspace)
        assert (done.returncode, "it may hang" in done.stderr) == (75, True), done.stderr


async def test_a_port_on_which_nobody_listens_any_more_has_its_sentence(workspace: Path) -> None:
    async with listening(plain("200 OK")) as url:
        pass
    async with held(workspace, url):
        done = await ask(workspace)
        assert (done.returncode, "does not answer at" in done.stderr) == (75, True), done.stderr


async def test_a_daemon_without_a_gateway_cannot_be_joined(workspace: Path) -> None:
    async with held(workspace, None):
        done = await ask(workspace)
        assert done.returncode == 75
        assert "does not listen, so it cannot be joined: set gateway.enabled: true" in done.stderr


async def test_a_conversation_of_another_process_cannot_be_joined(workspace: Path) -> None:
    async with held(workspace, None, role="chat"):
        done = await ask(workspace)
        assert done.returncode == 75
        assert "a picklebot chat (process" in done.stderr
        assert "already runs in this workspace" in done.stderr


async def test_what_a_dead_daemon_left_behind_is_in_nobodys_way(workspace: Path) -> None:
    place = Workspace(workspace)
    place.prepare()
    left = {"pid": 1, "role": "server", "started_at": "long ago", "url": "http://127.0.0.1:9"}
    place.daemon_file.write_text(json.dumps(left))
    done = await ask(workspace)
    assert (done.returncode, done.stdout, done.stderr) == (0, "6*7 = 42\n", "")


async def test_who_has_just_taken_the_workspace_is_not_taken_for_the_one_before(workspace: Path) -> None:
    place = Workspace(workspace)
    async with held(workspace, None):
        left = {"pid": 2**22 + 1, "role": "server", "started_at": "long ago", "url": "http://127.0.0.1:9"}
        place.daemon_file.write_text(json.dumps(left))
        holder = holder_of(place.lock_file, place.daemon_file)
        assert holder is not None
        assert (holder.pid, holder.url) == (0, None)


async def test_a_token_that_cannot_be_read_has_its_sentence(workspace: Path) -> None:
    async with held(workspace, "http://127.0.0.1:9"):
        Workspace(workspace).token_file.unlink()
        done = await ask(workspace)
        assert (done.returncode, "the daemon's token cannot be read" in done.stderr) == (78, True), done.stderr


def test_an_error_keeps_its_class_over_the_line_where_that_is_known() -> None:
    assert isinstance(error_of({"kind": "QueueFull", "message": "later"}), QueueFull)
    assert type(error_of({"kind": "Path", "message": "later"})) is PicklebotError
