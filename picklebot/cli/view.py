"""What a person sees of a turn: text as it comes, tools as they run, and the reply, once.

Promises that a reply which was streamed is not printed again, and that one which was not streamed is. Knows no
keyboard and no store.
"""

import re

from rich.console import Console
from rich.text import Text

from picklebot.cli.markdown import GrowingMarkdown
from picklebot.cli.output import many_lines, one_line
from picklebot.cli.plain_view import Progress
from picklebot.core.events import OutboundEvent, TextDelta, ToolFinished, ToolStarted

THINKING = "thinking…"
_SIGNATURE = re.compile(r"[A-Za-z0-9_-]{1,64}:")  # of a reply to one that was asked aside


class ToolLines:
    """Tool calls, two quiet lines each."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._running: dict[str, str] = {}
        utf = console.encoding.startswith("utf")
        self._gear, self._tick, self._cross = ("⚙", "✓", "✗") if utf else ("*", "ok", "failed")

    @property
    def busy(self) -> bool:
        """Whether a tool is running."""
        return bool(self._running)

    def show(self, event: ToolStarted | ToolFinished) -> None:
        """A tool runs, or has ended."""
        if isinstance(event, ToolStarted):
            self._started(event)
        else:
            self._finished(event)

    def _started(self, event: ToolStarted) -> None:
        self._running[event.call_id] = event.tool
        self._print((f"{self._gear} {event.tool}", "cyan"), f" {event.summary}")

    def _finished(self, event: ToolFinished) -> None:
        # Where several run at once, the name says which one it is.
        name = f" {event.tool}" if len(self._running) > 1 else ""
        self._running.pop(event.call_id, None)
        mark = (f"{self._cross}{name}", "red") if event.is_error else (f"{self._tick}{name}", "green")
        self._print(mark, f" {event.seconds:.1f} s  {event.summary}")

    def _print(self, head: tuple[str, str], rest: str) -> None:
        words, style = head
        line = Text.assemble((one_line(words), style), (one_line(rest), "dim"))
        line.truncate(max(self._console.width - 1, 20), overflow="ellipsis")
        self._console.print(line, soft_wrap=True)


class TerminalView:
    """Streams markdown to `console`, and tells of tools and failures on `notes`."""

    def __init__(self, console: Console, *, notes: Console, tools: ToolLines | None, lead: bool) -> None:
        self._console = console
        self._notes = notes
        self._tools = tools
        self._text = GrowingMarkdown(console)
        self._step = ""  # what was streamed since the last tool call
        self._last = "prompt" if lead else ""  # what stands above: a part of another kind needs a blank line

    def begin(self) -> None:
        """Say that something is coming."""
        self._think()

    def show(self, event: Progress) -> None:
        """Take what happened."""
        if isinstance(event, TextDelta):
            self._hear(event)
        elif self._tools is None:
            self._text.end()
            self._step = ""
        else:
            self._part("tool")
            self._tools.show(event)
            if not self._tools.busy:
                self._think()

    def draw(self) -> None:
        """Bring the screen up to date."""
        self._text.draw()

    def reply(self, event: OutboundEvent) -> None:
        """Show what of the reply is not on the screen yet."""
        said, reply = self._step, event.content
        if event.error:
            self._part("note")
            self._notes.print(Text(many_lines(reply), style="red"))
        elif reply.startswith(said):
            self._say(reply[len(said) :])  # all of it, where nothing was streamed
        elif not _squeeze(said).endswith(_squeeze(reply)) and not _signed(said, reply):
            self._text.end()
            self._last = "note"
            self._say(reply)
        self._text.end()

    def note(self, words: str) -> None:
        """Say something about the daemon, below what was said so far."""
        self._text.end()
        self._part("note")
        self._notes.print(Text(words, style="yellow"))

    def end(self) -> None:
        """Leave nothing that could still change."""
        self._text.end()

    def _hear(self, event: TextDelta) -> None:
        if event.restart:
            self._text.void()
            self._part("note")
            self._notes.print(Text("(asked again)", style="dim"))
        self._say(event.text)

    def _say(self, text: str) -> None:
        if text and self._last != "text":
            self._text.begin(lead=bool(self._last))
            self._last = "text"
        self._step += text
        self._text.feed(text)

    def _part(self, kind: str) -> None:
        """End the text, and set what comes apart from what was."""
        self._text.end()
        self._step = ""
        if self._last not in {"", kind}:
            self._console.print()
        self._last = kind

    def _think(self) -> None:
        self._text.begin(lead=bool(self._last))
        self._text.status(THINKING)


def _signed(said: str, reply: str) -> bool:
    """Return whether a reply is what was streamed, with its agent's name before it: `cookie: ...`."""
    said, reply = _squeeze(said), _squeeze(reply)
    return bool(said) and reply.endswith(said) and _SIGNATURE.fullmatch(reply[: -len(said)]) is not None


def _squeeze(text: str) -> str:
    """Return `text` without its white space: blocks are streamed back to back, and joined by blank lines."""
    return "".join(text.split())
