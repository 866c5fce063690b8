"""One tool process, as the daemon sees it: calls go in, answers come back in any order.

Promises that every call ends: with its answer, or with a `ToolError` when the process dies, talks nonsense or outlives
the call's time. A cancelled call is gone, or its process is, before the cancellation goes on. Knows no session.
"""

import asyncio
import itertools
import json
import logging
import signal
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from picklebot import children
from picklebot.errors import ToolError
from picklebot.toolhost.wire import MAX_ANSWER, MAX_REQUEST

logger = logging.getLogger(__name__)

GRACE = 12.0  #: seconds past a call's limit before its process is killed; it ends its commands itself before that
STOPPING = 8.0  #: seconds that a process has to confirm a cancellation
CLOSING = 3.0  #: seconds that it has to leave
LEAVING = 1.0  #: seconds that a process which says no more has to end by itself
_MAX_NOISE = 2000  # bytes of its stderr that are logged at once
_LOGGED = 20  # times


class HostProcess:
    """A running tool process. Made by `start`, used by many calls at once, ended by `close` or `kill`."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[str]] = {}
        self._why = ""
        self.ended = False
        self._reader = asyncio.create_task(self._read(), name=f"tool process {process.pid}")

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str], *, root: Path) -> Self:
        """Start the program.

        Raises:
            ToolError: if it cannot be started.
        """
        try:
            process = await children.start(command, environment, folder=root, limit=MAX_ANSWER + 1024)
        except OSError as exc:
            raise ToolError(f"the tool process could not be started: {exc}") from exc
        return cls(process)

    @property
    def pid(self) -> int:
        """Its process id, which is also its group's."""
        return self._process.pid

    async def call(self, tool: str, given: Mapping[str, Any], *, seconds: float, grace: float = GRACE) -> str:
        """Run one tool there, and return its output.

        Raises:
            ToolError: in the tool's words, or because the process is gone.
        """
        call_id = next(self._ids)
        line = json.dumps({"id": call_id, "tool": tool, "input": given, "seconds": seconds}).encode() + b"\n"
        if len(line) > MAX_REQUEST:
            raise ToolError(f"{tool} was given {len(line):,} bytes; at most {MAX_REQUEST:,} go into one call")
        if self.ended:
            raise ToolError("the tool process ended; call again for a new one")
        answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting[call_id] = answer
        try:
            async with asyncio.timeout(seconds + grace):
                await self._say(line)
                await asyncio.wait({answer})  # unlike a bare await, leaves it whole when we are cancelled
        except TimeoutError:
            self.kill(f"{tool} did not end within its {seconds:g} s")
            raise ToolError(f"{tool} did not end within its {seconds:g} s, so its process was killed") from None
        except asyncio.CancelledError:
            await self._stop(call_id, answer, seconds=min(STOPPING, grace))
            raise
        finally:
            self._waiting.pop(call_id, None)
            if answer.done():
                answer.exception()  # seen, also where nobody waits for it any more
        return answer.result()

    def kill(self, why: str) -> None:
        """End the process and its group now; its calls fail, and say `why`."""
        self._why = self._why or why
        self.ended = True
        children.kill(self._process)

    async def close(self) -> None:
        """Let the process end by itself, or kill it, and wait until it is gone."""
        self.ended = True
        self._why = self._why or "picklebot closed it"
        self._stdin.close()
        try:
            async with asyncio.timeout(CLOSING):
                await asyncio.shield(self._reader)
        except TimeoutError:
            self.kill("it did not leave when asked")
            await asyncio.wait({self._reader})
        except asyncio.CancelledError:
            self.kill("picklebot is in a hurry")
            await asyncio.wait({self._reader})
            raise

    async def _stop(self, call_id: int, answer: "asyncio.Future[str]", *, seconds: float) -> None:
        """Cancel a call in the process, and wait until its command is gone; a process that hears nothing is killed."""
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._say(json.dumps({"cancel": call_id}).encode() + b"\n")
                    await asyncio.wait({answer})
        finally:
            if not answer.done():
                self.kill("a call could not be stopped")

    async def _say(self, line: bytes) -> None:
        try:
            self._stdin.write(line)
            await self._stdin.drain()
        except (ConnectionError, RuntimeError):
            pass  # it has ended: the reader says so to every call

    async def _read(self) -> None:
        """Hand out answers until there are no more; then see the process off, and fail whoever still waits."""
        noise = asyncio.create_task(self._log_noise(), name=f"stderr of tool process {self.pid}")
        try:
            while True:
                self._settle(json.loads(await self._stdout.readuntil()))
        except asyncio.IncompleteReadError as exc:
            if exc.partial:
                self.kill("it was cut off in the middle of an answer")
            await self._leave()
        except (asyncio.LimitOverrunError, ValueError, KeyError, TypeError, RecursionError):
            self.kill("it said something that is no answer")
        finally:
            self.kill("")
            await self._see_off(noise)
            self._fail_all()

    async def _leave(self) -> None:
        """Let it end by itself, so that how it ended is known: its last words come before its end."""
        with suppress(TimeoutError):
            async with asyncio.timeout(LEAVING):
                await self._process.wait()

    async def _see_off(self, noise: "asyncio.Task[None]") -> None:
        """Wait until the process is gone, and read its pipes to their end, or asyncio keeps them open."""
        try:
            async with asyncio.timeout(CLOSING):
                while await self._stdout.read(MAX_ANSWER):
                    pass
                await asyncio.wait({noise})
        except TimeoutError:
            logger.warning("somebody holds the pipes of tool process %s, which is dead", self.pid)
        noise.cancel()
        await children.let_go(self._process)

    def _settle(self, said: Mapping[str, Any]) -> None:
        answer = self._waiting.get(said["id"])
        if answer is None or answer.done():
            return  # its caller is gone
        if said["ok"]:
            answer.set_result(str(said["output"]))
        else:
            answer.set_exception(ToolError(str(said["error"])))

    def _fail_all(self) -> None:
        code = self._process.returncode
        why = self._why or (f"signal {-code}" if code is not None and code < 0 else f"exit code {code}")
        if self._waiting:
            logger.warning("tool process %s ended with %s calls open: %s", self.pid, len(self._waiting), why)
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(ToolError(_last_words(why, code)))

    async def _log_noise(self) -> None:
        for count in itertools.count():
            said = await self._stderr.read(_MAX_NOISE)
            if not said:
                return
            if count < _LOGGED:
                logger.warning("tool process %s: %s", self.pid, said.decode("utf-8", "replace").rstrip())


def _last_words(why: str, code: int | None) -> str:
    killed = code in {-signal.SIGKILL, 128 + signal.SIGKILL}
    hint = ". A command that starts very many processes ends so" if killed else ""
    return f"the tool process ended ({why}); what it was doing may be half done{hint}"
