"""Markdown that grows on a terminal.

Promises that each line is drawn once it cannot change any more and stays where it is; only the block that still
grows is redrawn, and of that only the lines that differ, so nothing flickers or appears twice, however long a reply
gets. Nothing that a model writes can steer the terminal. Knows no turn.
"""

import re
from itertools import pairwise
from typing import ClassVar

from markdown_it import MarkdownIt
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, JustifyMethod, RenderResult
from rich.markdown import Heading, ListItem, Markdown
from rich.text import Text
from rich.theme import Theme

from picklebot.cli.output import many_lines

MAX_WIDTH = 100  #: columns of running text; longer lines are hard to read

_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_THEME = Theme(
    {
        "markdown.code": "cyan",
        "markdown.block_quote": "dim",
        "markdown.h1": "bold underline",
        "markdown.h2": "bold",
        "markdown.h3": "bold",
        "markdown.link": "cyan",
        "markdown.link_url": "cyan underline",
        "markdown.table.border": "dim",
        "markdown.hr": "dim",
    }
)
# What looks like HTML is text here: rich would leave it out, and "<id>" is often meant as it stands.
_parser = MarkdownIt("commonmark", {"html": False}).enable("table").enable("strikethrough")


def open_console(*, stderr: bool = False) -> Console:
    """Return the terminal, in its own colours: what looks well on black must be readable on white."""
    return Console(highlight=False, stderr=stderr, theme=_THEME)


class _LeftHeading(Heading):
    LEVEL_ALIGN: ClassVar[dict[str, JustifyMethod]] = {f"h{level}": "left" for level in range(1, 7)}


class _SteadyItem(ListItem):
    def render_number(self, console: Console, options: ConsoleOptions, number: int, last_number: int) -> RenderResult:
        # A list that grows past nine items must not move the ones that are drawn.
        return super().render_number(console, options, number, max(last_number, 99))


class _CalmMarkdown(Markdown):
    """Markdown with every heading on the left, in the terminal's own colours, with links spelled out."""

    elements = {**Markdown.elements, "heading_open": _LeftHeading, "list_item_open": _SteadyItem}  # noqa: RUF012  # rich's own type

    def __init__(self, text: str) -> None:
        super().__init__(text, code_theme="ansi_dark", hyperlinks=False)
        self.parsed = _parser.parse(text)


def blocks(text: str) -> list[str]:
    """Return the text's top-level blocks: paragraphs, lists, tables and so on."""
    starts = [token.map[0] for token in _parser.parse(text) if token.level == 0 and token.nesting >= 0 and token.map]
    lines = text.split("\n")
    return ["\n".join(lines[start:end]) for start, end in pairwise([*starts, len(lines)])]


def split(text: str) -> tuple[str, str]:
    """Return (the blocks that can change no more, the block that may still grow)."""
    # A line that is not complete may yet turn out to belong to the block before it.
    complete = text[: text.rfind("\n") + 1]
    known = blocks(complete)
    end = len(complete) - len(known[-1]) if len(known) > 1 else 0
    return text[:end], text[end:]


class GrowingMarkdown:
    """A text on its way. `feed` it, `draw` it now and then, `end` it."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._text = ""
        self._status = ""
        self._lead = False  # whether a blank line comes before the block that grows
        self._kept = 0  # lines of the block that grows which have left the top of the screen for good
        self._live: list[str] = []  # lines that are on the screen and may still change
        self._width = 0

    def begin(self, *, lead: bool) -> None:
        """Start a new text, after a blank line if `lead`."""
        self._lead = lead

    def feed(self, text: str) -> None:
        """Add to the text."""
        self._text += _clean(text)

    def status(self, line: str) -> None:
        """Show a passing line where the text will be."""
        self._status = line
        self.draw()

    def draw(self) -> None:
        """Bring the screen up to date."""
        done, tail = split(self._text)
        final: list[str] = []
        if done:
            final = self._block(done)[self._kept :]
            self._text, self._kept, self._lead = tail, 0, True
        live = self._block(tail)[self._kept :] if tail.strip() else []
        if self._text.strip():
            self._status = ""
        elif self._status:
            live = [*([""] if self._lead else []), f"\x1b[2m{self._status}\x1b[22m"]
        room = max(self._console.height - 3, 3)
        if len(live) > room and not _is_table(tail):
            # The widths of a table's columns may still change, so its rows are shown, but not for good.
            final, live, self._kept = final + live[:-room], live[-room:], self._kept + len(live) - room
        self._write(final, live[-room:])

    def end(self) -> None:
        """Draw the rest for good."""
        self._status = ""
        lines = self._block(self._text)[self._kept :] if self._text.strip() else []
        self._write(lines, [])
        self._text, self._kept = "", 0

    def void(self) -> None:
        """Forget what may still change; what is drawn for good stays."""
        self._status = self._text = ""
        self._kept = 0
        self._write([], [])

    def _block(self, text: str) -> list[str]:
        return [*([""] if self._lead else []), *render(self._console, text)]

    def _write(self, final: list[str], live: list[str]) -> None:
        old, new = self._live, final + live
        same = 0
        while same < min(len(old), len(new)) and old[same] == new[same]:
            same += 1
        self._live = live
        if same == len(old) == len(new):
            return
        up = sum(self._rows(line) for line in old[same:])
        self._width = self._console.width
        erase = f"\x1b[{up}A\r\x1b[J" if up else ""
        file = self._console.file
        file.write(erase + "".join(line + "\n" for line in new[same:]))
        file.flush()

    def _rows(self, line: str) -> int:
        """Return how many rows a line takes by now: a terminal made narrower has broken it anew."""
        width = self._console.width
        if width >= self._width:
            return 1
        return max(1, -(-cell_len(_COLOURS.sub("", line)) // width))


def render(console: Console, text: str) -> list[str]:
    """Return markdown as the lines of a terminal, its blocks apart by one empty line each."""
    lines: list[str] = []
    for block in blocks(_clean(text)):
        rendered = _render_block(console, block)
        lines += [*([""] if lines and rendered else []), *rendered]
    return lines


def _render_block(console: Console, text: str) -> list[str]:
    # One column stays free: a terminal that has filled its last one is not where it seems to be.
    width = max(min(console.width - 1, MAX_WIDTH), 20)
    with console.capture() as capture:
        console.print(_CalmMarkdown(text), width=width)
    lines = [_trim(line) for line in capture.get().split("\n")]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines


def _clean(text: str) -> str:
    """Return `text` with nothing in it that could steer the terminal, and with line feeds alone as line ends."""
    return many_lines(text.replace("\r", ""))


def _trim(line: str) -> str:
    return line.rstrip() if Text.from_ansi(line).plain.strip() else ""


def _is_table(text: str) -> bool:
    return any(token.type == "table_open" for token in _parser.parse(text))
