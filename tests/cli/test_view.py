"""What a person sees of a turn."""

import io
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from picklebot.cli.markdown import GrowingMarkdown, render, split
from picklebot.cli.plain_view import PlainView
from picklebot.cli.view import TerminalView, ToolLines
from picklebot.core.events import OutboundEvent, TextDelta, ToolFinished, ToolStarted
from picklebot.core.source import Source
from tests.cli.screen import Screen

ANN = Source("cli", ("ann",))
ABOUT: dict[str, Any] = {"session_id": "s1", "source": ANN, "cause_id": "e1"}

LONG_LIST = "\n".join(f"{n}. item {n}, which is long enough to be wrapped on a narrow screen" for n in range(1, 40))
LONG_CODE = "```python\n" + "\n".join(f"line_{n} = {n}" for n in range(60)) + "\n```"
LONG_TABLE = "| a | b |\n|---|---|\n" + "\n".join(f"| {n} | {'x' * n} |" for n in range(30))
MIXED = f"# Title\n\nSome *words* and `code`.\n\n{LONG_LIST}\n\n{LONG_CODE}\n\n> quoted\n\n{LONG_TABLE}\n\nThe end.\n"


BLOCKS = [
    "# Heading",
    "a *paragraph* of\nsome words",
    "- one\n- two\n\n- three",
    "1. first\n2. second",
    "```\ncode\n```",
]
BLOCKS += ["> said", "| a | b |\n|---|---|\n| 1 | 2 |", "---", "**bold** and `code`", "word " * 40]


class Terminal:
    """A console, and the screen that shows what was written to it."""

    def __init__(self, *, columns: int = 60, rows: int = 20) -> None:
        self.file = io.StringIO()
        self.console = Console(
            file=self.file, force_terminal=True, width=columns, height=rows, highlight=False, color_system="standard"
        )
        self.screen = Screen(columns=columns, rows=rows)

    @property
    def lines(self) -> list[str]:
        self.screen.feed(self.file.getvalue().replace("\n", "\r\n"))  # as the kernel does
        self.file.seek(0)
        self.file.truncate()
        return self.screen.lines

    @property
    def text(self) -> str:
        return "\n".join(self.lines)


def plain(terminal: Terminal, text: str) -> list[str]:
    """Return the lines of `text`, rendered whole."""
    whole = Terminal(columns=terminal.screen.columns, rows=10_000)
    whole.file.write("\n".join(render(whole.console, text)))
    return whole.lines


def grow(terminal: Terminal, pieces: Sequence[str]) -> None:
    growing = GrowingMarkdown(terminal.console)
    growing.begin(lead=False)
    for piece in pieces:
        growing.feed(piece)
        growing.draw()
    growing.end()


def cut(text: str, size: int) -> list[str]:
    return [text[start : start + size] for start in range(0, len(text), size)]


@pytest.mark.parametrize("size", [23, 200, 10_000])
@pytest.mark.parametrize("text", [LONG_LIST, LONG_CODE, LONG_TABLE, MIXED], ids=["list", "code", "table", "mixed"])
def test_a_reply_longer_than_the_screen_is_there_once_and_whole(text: str, size: int) -> None:
    terminal = Terminal()
    grow(terminal, cut(text, size))
    assert terminal.lines == plain(terminal, text)


@settings(max_examples=25)
@given(
    blocks=st.lists(
        st.sampled_from(BLOCKS),
        max_size=6,
    ),
    size=st.integers(1, 30),
)
def test_how_a_text_arrives_makes_no_difference(blocks: list[str], size: int) -> None:
    text = "\n\n".join(blocks)
    piecewise, at_once = Terminal(rows=8), Terminal(rows=8)
    grow(piecewise, cut(text, size))
    grow(at_once, [text])
    assert piecewise.lines == at_once.lines


def test_lines_that_did_not_change_are_not_written_again() -> None:
    terminal = Terminal()
    growing = GrowingMarkdown(terminal.console)
    growing.feed("first line of a paragraph that is longer than sixty columns are wide, then more")
    growing.draw()
    assert "first line" in terminal.file.getvalue()
    assert terminal.text
    growing.feed(" and more")
    growing.draw()
    assert "first line" not in terminal.file.getvalue()
    assert "and more" in terminal.text


def test_a_block_is_final_only_when_nothing_can_join_it() -> None:
    assert split("a paragraph\n\nanother") == ("", "a paragraph\n\nanother")
    assert split("a paragraph\n\nanother\n") == ("a paragraph\n\n", "another\n")
    assert split("- one\n\n- two\n") == ("", "- one\n\n- two\n")
    assert split("```\na\n\nb\n") == ("", "```\na\n\nb\n")


def test_what_looks_like_html_is_shown_as_it_stands() -> None:
    terminal = Terminal()
    growing = GrowingMarkdown(terminal.console)
    growing.feed("Write crons/<id>/CRON.md.\n\n<p>not a paragraph</p>\n")
    growing.end()

    assert "Write crons/<id>/CRON.md." in "\n".join(terminal.lines)
    assert "<p>not a paragraph</p>" in "\n".join(terminal.lines)


def test_nothing_that_is_said_can_steer_the_terminal() -> None:
    terminal = Terminal()
    grow(terminal, ["bell \x07 clear \x1b[2J title \x1b]0;owned\x07 back\rspace \u202e turned"])
    assert "owned" in terminal.text
    assert "\u202e" not in terminal.text
    lines = ToolLines(terminal.console)
    lines.show(started("bash", "command='\x1b[31mred'"))
    assert "\\x1b[31mred" in terminal.text


def test_the_address_of_a_link_can_be_read() -> None:
    terminal = Terminal()
    grow(terminal, ["see [the bank](https://evil.example/)"])
    assert "https://evil.example/" in terminal.text


def started(tool: str, summary: str, call: str = "c1") -> ToolStarted:
    return ToolStarted(**ABOUT, call_id=call, tool=tool, summary=summary)


def finished(tool: str, summary: str, call: str = "c1", *, is_error: bool = False) -> ToolFinished:
    return ToolFinished(**ABOUT, call_id=call, tool=tool, summary=summary, seconds=0.12, is_error=is_error)


def delta(text: str, *, restart: bool = False) -> TextDelta:
    return TextDelta(**ABOUT, text=text, restart=restart)


def reply(text: str, *, error: str | None = None) -> OutboundEvent:
    return OutboundEvent(**ABOUT, to=ANN, content=text, error=error)


@pytest.fixture
def terminal() -> Terminal:
    return Terminal()


@pytest.fixture
def view(terminal: Terminal) -> TerminalView:
    view = TerminalView(terminal.console, notes=terminal.console, tools=ToolLines(terminal.console), lead=False)
    view.begin()
    return view


def test_it_says_that_something_is_coming_until_it_comes(terminal: Terminal, view: TerminalView) -> None:
    assert terminal.lines == ["thinking…"]
    view.show(delta("Hello"))
    view.draw()
    assert terminal.lines == ["Hello"]


def test_a_reply_that_was_streamed_is_not_printed_again(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("Hello "))
    view.show(delta("Ann."))
    view.reply(reply("Hello Ann."))
    view.end()
    assert terminal.lines == ["Hello Ann."]


def test_a_reply_of_several_blocks_is_not_printed_again(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("One."))
    view.show(delta("Two."))
    view.reply(reply("One.\n\nTwo."))
    assert terminal.text.count("One.") == terminal.text.count("Two.") == 1


def test_a_reply_that_is_signed_is_not_printed_again(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("Tea, and jazz."))
    view.reply(reply("cookie: Tea, and jazz."))
    assert terminal.lines == ["Tea, and jazz."]


def test_a_reply_that_was_not_streamed_is_printed(terminal: Terminal, view: TerminalView) -> None:
    view.reply(reply("Hello **Ann**."))
    assert terminal.lines == ["Hello Ann."]


def test_only_what_is_missing_of_a_reply_is_printed(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("It was a dark"))
    view.reply(reply("It was a dark\n\n(The answer was cut off.)"))
    assert terminal.lines == ["It was a dark", "", "(The answer was cut off.)"]


def test_another_reply_stands_below_what_was_streamed(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("It was a dark"))
    view.reply(reply("Stopped."))
    assert terminal.lines == ["It was a dark", "", "Stopped."]


def test_a_failure_stands_below_what_was_streamed(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("It was a dark"))
    view.reply(reply("I could not finish: overloaded.", error="overloaded"))
    assert terminal.lines == ["It was a dark", "", "I could not finish: overloaded."]


def test_tools_are_shown_as_they_run(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("I will look."))
    view.show(started("bash", "command='ls'"))
    assert terminal.lines == ["I will look.", "", "⚙ bash command='ls'"]
    view.show(finished("bash", "README.md"))
    view.show(started("read_file", "path='x'"))
    view.show(finished("read_file", "no such file", is_error=True))
    view.show(delta("Nothing there."))
    view.reply(reply("Nothing there."))
    tools = ["⚙ bash command='ls'", "✓ 0.1 s  README.md", "⚙ read_file path='x'", "✗ 0.1 s  no such file"]
    assert terminal.lines == ["I will look.", "", *tools, "", "Nothing there."]


def test_of_tools_that_run_at_once_each_is_named(terminal: Terminal) -> None:
    lines = ToolLines(terminal.console)
    lines.show(started("glob", "*", "c1"))
    lines.show(started("grep", "x", "c2"))
    lines.show(finished("grep", "2 lines", "c2"))
    lines.show(finished("glob", "3 files", "c1"))
    assert terminal.lines[2:] == ["✓ grep 0.1 s  2 lines", "✓ 0.1 s  3 files"]


def test_a_line_about_a_tool_is_never_longer_than_the_screen_is_wide(terminal: Terminal) -> None:
    ToolLines(terminal.console).show(started("bash", "x" * 120))
    assert len(terminal.lines) == 1


def test_an_answer_that_begins_again_takes_back_what_was_growing(terminal: Terminal, view: TerminalView) -> None:
    view.show(delta("One whole paragraph.\n\nThe beginn"))
    view.draw()
    view.show(delta("Once more.", restart=True))
    view.reply(reply("Once more."))
    assert "The beginn" not in terminal.text
    assert terminal.lines[-3:] == ["(asked again)", "", "Once more."]


def test_a_plain_view_writes_the_reply_and_nothing_else() -> None:
    out, errors = io.StringIO(), io.StringIO()
    view = PlainView(out, errors=errors)
    view.begin()
    view.show(delta("Hel"))
    view.show(started("bash", "ls"))
    view.draw()
    view.reply(reply("Hello **Ann**.\n"))
    view.end()
    assert (out.getvalue(), errors.getvalue()) == ("Hello **Ann**.\n\n", "")


def test_a_plain_view_tells_failures_where_they_belong() -> None:
    out, errors = io.StringIO(), io.StringIO()
    PlainView(out, errors=errors).reply(reply("I could not finish.", error="overloaded"))
    assert (out.getvalue(), errors.getvalue()) == ("", "I could not finish.\n")
