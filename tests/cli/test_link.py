"""The line to a daemon, against one that hangs up whenever it likes."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, serve

from picklebot.cli.dial import Joining, Unreachable
from picklebot.cli.link import Link
from picklebot.errors import QueueFull

PATIENCE = 20.0  #: seconds until something that should happen counts as missing


class Listener:
    """Hears what comes, and counts the times the line was cut and back."""

    def __init__(self) -> None:
        self.heard: list[Mapping[str, Any]] = []
        self.cuts: list[int] = []
        self.cut = asyncio.Event()
        self.backs: list[int] = []

    async def take(self, frame: Mapping[str, Any]) -> None:
        self.heard.append(frame)

    def away(self, pid: int) -> None:
        self.cuts.append(pid)
        self.cut.set()

    async def back(self, pid: int) -> None:
        self.backs.append(pid)


@asynccontextmanager
async def line(
    *lives: Callable[[ServerConnection], Awaitable[None]], patience: float | None = None
) -> AsyncIterator[tuple[Link, Listener, asyncio.Event]]:
    """A line to a daemon whose lives answer one connection each; after the last it is not there any more."""
    left = list(lives)

    async def answer(connection: ServerConnection) -> None:
        await left.pop(0)(connection)

    async with serve(answer, "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]

        async def dial() -> Joining:
            if not left:
                raise Unreachable("no daemon runs in this workspace")
            connection = await connect(f"ws://127.0.0.1:{port}", proxy=None)
            return Joining(connection=connection, pid=len(lives) - len(left), notices=())

        link, listener, stop = Link(await dial(), dial, patience=patience), Listener(), asyncio.Event()
        async with asyncio.TaskGroup() as group:
            group.create_task(link.run(listener, stop), name="line")
            try:
                async with asyncio.timeout(PATIENCE):
                    yield link, listener, stop
            finally:
                stop.set()
        await link.close()


async def deaf(connection: ServerConnection) -> None:
    """Take one frame, and die."""
    await connection.recv()


async def obliging(connection: ServerConnection) -> None:
    """Answer everything."""
    async for text in connection:
        frame = json.loads(text)
        if frame["type"] == "message":
            await connection.send(json.dumps({"type": "accepted", "id": frame["id"], "content": frame["content"]}))
        elif frame["type"] == "ask":
            await connection.send(json.dumps({"type": "answer", "n": frame["n"], "value": frame["what"]}))
        else:
            await connection.send(json.dumps({"type": "noted", "frame": frame}))


async def test_what_was_not_accepted_is_offered_again_under_its_id() -> None:
    async with line(deaf, deaf, obliging) as (link, listener, _):
        said = {"type": "message", "id": "m1", "content": "hi"}
        assert await link.call("m1", [said]) == {"type": "accepted", "id": "m1", "content": "hi"}
        assert len(listener.cuts) == 2


async def test_a_question_is_asked_again_and_what_was_answered_is_not() -> None:
    async with line(deaf, obliging) as (link, listener, _):
        assert await link.ask("place") == "place"
        assert await link.ask("words") == "words"
        assert listener.heard == []


async def test_what_is_only_told_goes_out_when_there_is_a_line_again() -> None:
    async def mute(connection: ServerConnection) -> None:
        await connection.close()

    async with line(mute, obliging) as (link, listener, _):
        await listener.cut.wait()
        link.post(type="shown", key="k1")
        await link.ask("place")
        assert [frame["frame"] for frame in listener.heard] == [{"type": "shown", "key": "k1"}]


async def test_a_refusal_is_raised_where_it_was_asked() -> None:
    async def refusing(connection: ServerConnection) -> None:
        frame = json.loads(await connection.recv())
        await connection.send(json.dumps({"type": "refused", "n": frame["n"], "kind": "QueueFull", "message": "later"}))
        await obliging(connection)

    async with line(refusing) as (link, _, _):
        with pytest.raises(QueueFull, match="later"):
            await link.ask("place")
        assert await link.ask("place") == "place"


async def test_a_daemon_that_stays_away_is_given_up_and_the_words_say_what_became_of_the_message() -> None:
    async def speak(key: str | int, frame: dict[str, Any]) -> str:
        with pytest.raises(ExceptionGroup) as caught:
            async with line(deaf, patience=0.05) as (link, _, _):
                await link.call(key, [frame])
        [error] = caught.value.exceptions
        assert isinstance(error, Unreachable)
        return str(error)

    assert "the message was not accepted" in await speak("m1", {"type": "message", "id": "m1", "content": "hi"})
    assert "is answered once the daemon runs again" in await speak(1, {"type": "ask", "n": 1, "what": "place"})


async def test_who_leaves_while_the_daemon_is_away_is_not_held_up() -> None:
    async with line(deaf) as (link, listener, stop):
        link.post(type="stop", session="s1")
        await listener.cut.wait()
        stop.set()
