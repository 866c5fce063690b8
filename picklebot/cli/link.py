"""The line between a terminal and a daemon that it joined; it comes back when the daemon does.

Promises that what was not answered is sent again, under the same id, and that what was to be told goes out before the
line is closed. Knows no screen and no meaning of a frame.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Protocol

from websockets.asyncio.client import ClientConnection
from websockets.exceptions import ConnectionClosed

from picklebot import errors
from picklebot.cli.dial import Joining, Unreachable
from picklebot.errors import PicklebotError
from picklebot.gateway.terminals.frames import BadFrame, parse, spell

FIRST_PAUSE, MAX_PAUSE = 0.1, 2.0  #: seconds between two calls; they double
FLUSH_SECONDS = 2.0  #: for what is still to be told when the person leaves


class Ear(Protocol):
    """Hears what comes over the line."""

    async def take(self, frame: Mapping[str, Any]) -> None:
        """Take a frame that answers nothing."""
        ...

    def away(self, pid: int) -> None:
        """The line was cut."""
        ...

    async def back(self, pid: int) -> None:
        """The line is there again. What is asked here is answered over it."""
        ...


class Link:
    """A line. `dial` makes one attempt; `patience`: seconds without a daemon after which it is given up."""

    def __init__(self, first: Joining, dial: Callable[[], Awaitable[Joining]], *, patience: float | None) -> None:
        self.up = True
        self._joining = first
        self._dial = dial
        self._patience = patience
        self._calls: dict[str | int, tuple[Sequence[str], asyncio.Future[Mapping[str, Any]]]] = {}
        self._out: deque[tuple[str, bool]] = deque()  # frames, and whether nobody waits for an answer to them
        self._filled = asyncio.Event()
        self._numbers = 0

    async def ask(self, what: str, **given: Any) -> Any:
        """Return the daemon's answer to a question.

        Raises:
            PicklebotError: the error for which it has none.
        """
        self._numbers += 1
        frame = {"type": "ask", "n": self._numbers, "what": what, "given": given}
        return (await self.call(self._numbers, [frame]))["value"]

    async def call(self, key: str | int, frames: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
        """Send frames; return the one that answers them, whose `id` or `n` is `key`.

        Raises:
            PicklebotError: the error for which they were refused.
        """
        spelled = [spell(frame) for frame in frames]
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._calls[key] = (spelled, future)
        self._put([(text, False) for text in spelled])
        try:
            return await future
        finally:
            del self._calls[key]

    def post(self, **frame: Any) -> None:
        """Send a frame that nobody answers; where there is no line, as soon as there is one."""
        self._put([(spell(frame), True)])

    async def run(self, ear: Ear, stop: asyncio.Event) -> None:
        """Keep the line until `stop` is set.

        Raises:
            PicklebotError: it cannot be had any longer.
        """
        back: asyncio.Task[None] | None = None
        try:
            while True:
                await self._serve(self._joining.connection, ear, stop)
                if stop.is_set():
                    return
                ear.away(self._joining.pid)
                joining = await self._redial(stop)
                if joining is None:
                    return
                self._resume(joining)
                await _end(back)
                back = asyncio.create_task(ear.back(joining.pid), name="back on the line")
        finally:
            await _end(back)

    def _resume(self, joining: Joining) -> None:
        """Begin a new line with everything that the last one may not have carried."""
        self._joining = joining
        again = [(text, False) for spelled, _ in self._calls.values() for text in spelled]
        self._out = deque([*again, *(entry for entry in self._out if entry[1])])
        self._filled.set()

    async def close(self) -> None:
        """Hang up. Idempotent."""
        self.up = False
        await self._joining.connection.close()

    async def _serve(self, connection: ClientConnection, ear: Ear, stop: asyncio.Event) -> None:
        self.up = True
        reading = asyncio.create_task(self._read(connection, ear), name="line in")
        writing = asyncio.create_task(self._write(connection), name="line out")
        stopping = asyncio.create_task(stop.wait(), name="leaving")
        try:
            await asyncio.wait({reading, stopping}, return_when=asyncio.FIRST_COMPLETED)
            if stop.is_set():
                await self._flush(reading)
        finally:
            self.up = False
            for task in (writing, stopping, reading):
                task.cancel()
            await asyncio.wait({reading, writing, stopping})
            await connection.close()
        if not reading.cancelled():
            reading.result()

    async def _read(self, connection: ClientConnection, ear: Ear) -> None:
        try:
            async for text in connection:
                frame = parse(text)
                if not self._settle(frame):
                    await ear.take(frame)
        except (ConnectionClosed, BadFrame):
            return

    async def _write(self, connection: ClientConnection) -> None:
        try:
            while True:
                while self._out:
                    await connection.send(self._out[0][0])
                    self._out.popleft()
                self._filled.clear()
                await self._filled.wait()
        except ConnectionClosed:
            return

    async def _flush(self, reading: asyncio.Task[None]) -> None:
        """Wait until the daemon has taken what it was told last: frames are taken in their order."""
        asking = asyncio.create_task(self.ask("place"), name="last words")
        await asyncio.wait({reading, asking}, timeout=FLUSH_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        await _end(asking)

    async def _redial(self, stop: asyncio.Event) -> Joining | None:
        """Return a new line; None if the person has left meanwhile."""
        pause, loop = FIRST_PAUSE, asyncio.get_running_loop()
        began = loop.time()
        while not stop.is_set():
            try:
                return await self._dial()
            except Unreachable as exc:
                if self._patience is not None and loop.time() - began >= self._patience:
                    raise self._given_up(exc) from exc
            stopping = asyncio.create_task(stop.wait(), name="leaving")
            await asyncio.wait({stopping}, timeout=pause)
            stopping.cancel()
            pause = min(pause * 2, MAX_PAUSE)
        return None

    def _given_up(self, last: Unreachable) -> PicklebotError:
        waiting = any(isinstance(key, str) for key in self._calls)
        rest = "the message was not accepted" if waiting else "what was accepted is answered once the daemon runs again"
        return Unreachable(f"{last}, and was not back within {self._patience or 0:.0f} s; {rest}")

    def _settle(self, frame: Mapping[str, Any]) -> bool:
        """Give an answer to whoever waits for it; return whether it is one."""
        match frame["type"]:
            case "accepted":
                key = frame.get("id")
            case "answer":
                key = frame.get("n")
            case "refused":
                key = frame.get("id", frame.get("n"))
            case _:
                return False
        _, future = self._calls.get(key, ((), None)) if isinstance(key, str | int) else ((), None)
        if future is not None and not future.done():
            if frame["type"] == "refused":
                future.set_exception(error_of(frame))
            else:
                future.set_result(frame)
        return True

    def _put(self, entries: Sequence[tuple[str, bool]]) -> None:
        self._out.extend(entries)
        self._filled.set()


async def _end(task: asyncio.Task[Any] | None) -> None:
    """Let a task end, and hear what it has to say."""
    if task is not None:
        task.cancel()
        await asyncio.wait({task})
        if not task.cancelled():
            task.result()


def error_of(frame: Mapping[str, Any]) -> PicklebotError:
    """Return the error that a daemon has raised."""
    kind = _ERRORS.get(str(frame.get("kind")), PicklebotError)
    return kind(str(frame.get("message")))


_ERRORS: Mapping[str, type[PicklebotError]] = {
    kind.__name__: kind
    for kind in (
        errors.ChannelError,
        errors.ChannelUnavailable,
        errors.ConfigError,
        errors.LimitReached,
        errors.NotFound,
        errors.QueueFull,
        errors.StoreFull,
        errors.Taken,
        errors.ToolDenied,
    )
}
