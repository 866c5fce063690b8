"""A running program, behind its keeper (`picklebot.toolhost.resident`).

Promises that it goes, with all that it started, when it is dismissed or the daemon ends, and that why it ended is known.
Knows no message.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from picklebot import children
from picklebot.core.finishing import to_the_end

logger = logging.getLogger(__name__)

LEAVING = 5.0  #: seconds that the keeper has to end everything below it, once it is told
_MAX_NOISE = 2_000  # bytes of what the program prints that are logged at once
_LOGGED = 20  # times
_LAST = 300  # bytes of it that are kept for the word on its end
_LINE = 4_096


class Program:
    """One run of an agent's program. `ended` is set once it is gone, and `why` says then what made it end."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        self._process = process
        self._stdin, self._stdout, self._stderr = process.stdin, process.stdout, process.stderr
        self._name = name
        self._last = b""
        self.ended = asyncio.Event()
        self.why = ""
        """"" where it ended of its own accord."""

    @classmethod
    async def start(
        cls, command: Sequence[str], environment: Mapping[str, str], *, folder: Path, name: str
    ) -> "Program":
        """Start it; `watch` must run as long as it does.

        Raises:
            OSError: it cannot be started.
        """
        return cls(await children.start(command, environment, folder=folder, limit=_LINE), name)

    @property
    def pid(self) -> int:
        """The process id of its keeper."""
        return self._process.pid

    async def watch(self, on_end: Callable[[], None]) -> None:
        """Read what it prints until it is gone; then call `on_end`. Cancelled, it ends the program first."""
        noise = asyncio.create_task(self._log_noise(), name=f"what the program {self.pid} prints")
        word = b""
        try:
            with contextlib.suppress(ValueError):  # longer than a line may be: then it is no word of the keeper's
                word = await self._stdout.readline()
        finally:
            self.dismiss()
            try:
                await to_the_end(self._see_off(noise), name=f"the program {self.pid} ends")
            finally:  # somebody waits for it, however often we were cancelled
                self.why = self._reason(word)
                self.ended.set()
                on_end()

    def dismiss(self) -> None:
        """Have its keeper end it, with all that it started."""
        self._stdin.close()

    def _reason(self, word: bytes) -> str:
        """Return why it ended, from its keeper's word and the last that it printed."""
        try:
            given = cast("dict[str, Any]", json.loads(word))
            why = str(given["ended"])
        except (ValueError, KeyError, TypeError):
            why = "it was killed from outside"
        last = self._last.decode("utf-8", "replace").strip().splitlines()
        return f"{why}: {last[-1]}" if why and last else why

    async def _see_off(self, noise: "asyncio.Task[None]") -> None:
        """Wait until its keeper has ended everything, itself at last; else end the keeper, and so its namespace."""
        try:
            async with asyncio.timeout(LEAVING):
                while await self._stdout.read(_LINE):
                    pass
                await self._process.wait()
                await asyncio.wait({noise})
        except TimeoutError:
            logger.warning("the program of %s did not leave when told, and was killed", self._name)
            children.kill(self._process)
        noise.cancel()
        await children.let_go(self._process)

    async def _log_noise(self) -> None:
        count = 0
        while said := await self._stderr.read(_MAX_NOISE):
            self._last = (self._last + said)[-_LAST:]
            count += 1
            if count <= _LOGGED:
                logger.info("the program of %s prints: %s", self._name, said.decode("utf-8", "replace").rstrip())
