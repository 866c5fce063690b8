"""The line that a person types on.

Promises that it is there before anything slow is loaded, and that what is printed meanwhile goes above it. Knows no
daemon.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from pathlib import Path

from prompt_toolkit.application import Application, in_terminal
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.output.color_depth import ColorDepth
from prompt_toolkit.shortcuts import PromptSession
from prompt_toolkit.styles import Style

from picklebot.cli.completer import Completions

AGAIN = 2.0  #: seconds within which a second Ctrl-C leaves
MAX_HISTORY = 512 * 1024  #: bytes of what was typed that are kept
HINT = "(Ctrl-C again leaves, and so does Ctrl-D)"
_STYLE = Style.from_dict({"bottom-toolbar": "noreverse fg:ansibrightblack", "prompt": "bold fg:ansicyan"})


class Interrupted(Exception):
    """The person has left with Ctrl-C."""


class TwicePressed:
    """Tells a second Ctrl-C from a first one, wherever the keys were pressed."""

    def __init__(self) -> None:
        self._last = float("-inf")

    def press(self) -> bool:
        """Take a key press; return whether it is the second one in a short time."""
        now = asyncio.get_running_loop().time()
        last, self._last = self._last, now
        return now - last < AGAIN


class LinePrompt:
    """Reads one message at a time, of one line or many."""

    def __init__(self, history: Path) -> None:
        self.completions = Completions()
        self.toolbar = ""
        self.interrupts = TwicePressed()
        self._visible = asyncio.Event()
        self._reading: asyncio.Task[str] | None = None
        self._session: PromptSession[str] = PromptSession(
            FormattedText([("class:prompt", "› ")]),
            multiline=True,
            prompt_continuation=FormattedText([("class:prompt", "  ")]),
            history=FileHistory(str(_private(history))),
            completer=self.completions,
            # While a menu may open, room is kept for it: so only where there is something to complete.
            complete_while_typing=Condition(lambda: self.completions.apply_to(self._session.default_buffer.document)),
            key_bindings=self._keys(),
            bottom_toolbar=lambda: FormattedText([("class:bottom-toolbar", self.toolbar)]),
            style=_STYLE,
            color_depth=ColorDepth.from_env() or ColorDepth.DEPTH_4_BIT,
        )
        self._session.app.after_render += self._rendered
        self._session.app.ttimeoutlen = 0.1

    async def appear(self) -> None:
        """Show the prompt; return once it can be seen."""
        self._begin()
        await self._visible.wait()

    async def read(self) -> str:
        """Return the next message.

        Raises:
            EOFError: the person has left.
            Interrupted: the person has left with Ctrl-C.
        """
        try:
            return await self._begin()
        finally:
            self._reading = None

    async def above(self, show: Callable[[], object]) -> None:
        """Let `show` print above the prompt, if there is one now."""
        async with in_terminal():
            show()

    def announce(self, show: Callable[[], object]) -> None:
        """Let `show` print, soon: above the prompt, if there is one."""
        if self._session.app.is_running:
            self._session.app.create_background_task(self.above(show))
        else:
            show()

    def refresh(self, toolbar: str) -> None:
        """Show another toolbar."""
        self.toolbar = toolbar
        self._session.app.invalidate()

    async def aclose(self) -> None:
        """Take the prompt away. Idempotent."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    def _rendered(self, _: Application[str]) -> None:
        self._visible.set()

    def _begin(self) -> Awaitable[str]:
        if self._reading is None:
            self._visible.clear()
            self._reading = asyncio.create_task(self._session.prompt_async(handle_sigint=False), name="prompt")
        return self._reading

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def send(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if buffer.document.text_before_cursor.endswith("\\"):
                buffer.delete_before_cursor()
                buffer.newline(copy_margin=False)
            else:
                buffer.validate_and_handle()

        @keys.add("escape", "enter")
        def newline(event: KeyPressEvent) -> None:
            event.current_buffer.newline(copy_margin=False)

        @keys.add("c-c")
        def interrupt(event: KeyPressEvent) -> None:
            again = self.interrupts.press()
            if event.current_buffer.text:
                event.current_buffer.reset()
            elif again:
                event.app.exit(exception=Interrupted)
            else:
                event.app.create_background_task(self.above(lambda: print(f"\x1b[2m{HINT}\x1b[22m")))

        _ = (send, newline, interrupt)  # the decorator keeps them
        return keys


def _private(history: Path) -> Path:
    """Make the file of what was typed closed to others, and drop its older half when it has grown large."""
    descriptor = os.open(history, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        os.fchmod(descriptor, 0o600)
        if os.fstat(descriptor).st_size > MAX_HISTORY:
            entries = file.read()[-MAX_HISTORY // 2 :].partition(b"\n\n")[2]
            file.seek(0)
            file.truncate()
            file.write(b"\n" + entries)
    return history
