"""The view of `ask` where a person watches: colours, streaming, tool calls. Imports what draws."""

import os
import sys

from picklebot.cli.markdown import open_console
from picklebot.cli.plain_view import PlainView, SilentView, View
from picklebot.cli.view import TerminalView, ToolLines


def for_terminal(*, as_json: bool) -> View:
    """Return the view for an `ask` with a terminal on stdout, stderr or both."""
    # Not rich's own judgement: FORCE_COLOR makes it take a pipe for a terminal.
    notes = open_console(stderr=True)
    tools = ToolLines(notes) if sys.stderr.isatty() else None
    if as_json:
        return SilentView(sys.stdout, errors=sys.stderr, tools=tools)
    if sys.stdout.isatty() and os.environ.get("TERM", "dumb") != "dumb":
        return TerminalView(open_console(), notes=notes, tools=tools, lead=False)
    return PlainView(sys.stdout, errors=sys.stderr, tools=tools)
