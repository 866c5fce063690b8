"""What a view is, and the plain one: for pipes, and for terminals that cannot move their cursor.

Promises that the reply stands alone where it is written. Knows no markdown and imports no terminal library, because a
script that asks once must not wait for one.
"""

from typing import Protocol, TextIO, TypeAlias

from picklebot.cli.output import remark, say
from picklebot.core.events import OutboundEvent, TextDelta, ToolFinished, ToolStarted

Progress: TypeAlias = TextDelta | ToolStarted | ToolFinished


class View(Protocol):
    """Shows one turn."""

    def begin(self) -> None:
        """The message is on its way."""
        ...

    def show(self, event: Progress) -> None:
        """Take what happened; it may be drawn later."""
        ...

    def draw(self) -> None:
        """Bring the screen up to date."""
        ...

    def reply(self, event: OutboundEvent) -> None:
        """Show the reply; when this returns, the person can read it."""
        ...

    def note(self, words: str) -> None:
        """Say something about the daemon itself."""
        ...

    def end(self) -> None:
        """The turn is over, however it went."""
        ...


class ToolView(Protocol):
    """Shows tool calls."""

    def show(self, event: ToolStarted | ToolFinished) -> None:
        """A tool runs, or has ended."""
        ...


class PlainView:
    """Writes replies as they are and nothing else; `errors` is where a failure is told."""

    def __init__(self, out: TextIO, *, errors: TextIO, tools: ToolView | None = None) -> None:
        self._out = out
        self._errors = errors
        self._tools = tools

    def begin(self) -> None:
        """Nothing to show yet."""

    def show(self, event: Progress) -> None:
        """Show tools, where somebody watches."""
        if self._tools is not None and not isinstance(event, TextDelta):
            self._tools.show(event)

    def draw(self) -> None:
        """Everything is drawn at once."""

    def reply(self, event: OutboundEvent) -> None:
        """Write the reply."""
        say(event.content, stream=self._errors if event.error else self._out)

    def note(self, words: str) -> None:
        """Say it where it is in no program's way."""
        remark(words)

    def end(self) -> None:
        """Nothing is left."""


class SilentView(PlainView):
    """Writes no reply: for `--json`, where it is in the document."""

    def reply(self, event: OutboundEvent) -> None:
        """Leave it to the document."""
