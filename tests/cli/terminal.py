"""The program on a terminal of its own, and what a person sees there."""

import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pexpect  # type: ignore[import-untyped]  # it has no types

from tests.cli.running import PROGRAM, environment
from tests.cli.screen import Screen

PATIENCE = 40.0  #: seconds; only a failing test waits so long
CTRL_C, CTRL_D, ALT_ENTER, ENTER = "\x03", "\x04", "\x1b\r", "\r"


class Terminal:
    """`picklebot chat`, a keyboard and a screen."""

    def __init__(self, workspace: Path, *arguments: str, **more: str) -> None:
        # Nobody answers here when it asks where the cursor is.
        env = environment(TERM="xterm", PROMPT_TOOLKIT_NO_CPR="1", **more)
        command = [*PROGRAM[1:], "-w", str(workspace), "chat", *arguments]
        self._child: Any = pexpect.spawn(PROGRAM[0], command, env=env, encoding="utf-8", dimensions=(24, 80))
        self.screen = Screen()
        self.raw = ""

    @property
    def text(self) -> str:
        return self.screen.text

    @property
    def echoes(self) -> bool:
        return bool(termios.tcgetattr(self._child.child_fd)[3] & termios.ECHO)

    def wait(self, fact: Callable[[str], object]) -> None:
        """Wait until `fact` is true of the screen."""
        until = time.monotonic() + PATIENCE
        while not fact(self.text):
            assert time.monotonic() < until, f"in vain; the screen shows:\n{self.text}"
            try:
                piece = self._child.read_nonblocking(65536, timeout=0.1)
            except pexpect.TIMEOUT:
                continue
            except pexpect.EOF:
                assert fact(self.text), f"the program has ended; the screen shows:\n{self.text}"
                return
            self.raw += piece
            self.screen.feed(piece)

    def see(self, text: str) -> None:
        self.wait(lambda screen: text in screen)

    def prompt(self) -> None:
        """Wait for an empty prompt at the bottom."""
        self.wait(lambda screen: screen.split("\n")[-1] == "›")

    def type(self, keys: str) -> None:
        self._child.send(keys)

    def say(self, text: str, answer: str) -> None:
        """Say something at the prompt, and wait for the answer and the next prompt."""
        self.prompt()
        self.type(text + ENTER)
        self.see(answer)
        self.prompt()

    def signal(self, number: int) -> None:
        self._child.kill(number)

    def leave(self, keys: str = CTRL_D) -> int:
        """Press `keys` and return the exit code."""
        self.type(keys)
        return self.end()

    def end(self) -> int:
        try:
            while True:
                self.screen.feed(self._child.read_nonblocking(65536, timeout=PATIENCE))
        except pexpect.EOF:
            self._child.close()
        except pexpect.TIMEOUT as exc:
            raise AssertionError(f"it does not end; the screen shows:\n{self.text}") from exc
        return int(self._child.exitstatus if self._child.exitstatus is not None else -self._child.signalstatus)

    def interrupt_until_it_ends(self) -> int:
        """Press Ctrl-C twice within the time that counts: on a slow machine not every pair is quick enough."""
        for _ in range(40):
            self.type(CTRL_C)
            self._child.expect([pexpect.EOF, pexpect.TIMEOUT], timeout=1)
            if not self._child.isalive():
                break
        return self.end()

    def close(self) -> None:
        self._child.close(force=True)
