"""The file tools, as a model sees them; the work is done in the session's tool process.

Promises that an interrupted write or edit is checked against the file, and not guessed at, and that one which the tool
process refused, because the file steers agents, becomes a proposal to the owner. Opens no file itself.
"""

import json
from collections.abc import Mapping
from typing import Annotated, Any, Protocol

from pydantic import Field

from picklebot.errors import ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import reach, tool
from picklebot.tools.hosts import ToolHosts

SECONDS = 30.0  #: for one call
ATTACHMENTS = "attachments"  #: the folder of what people have sent
_APART = ("memories/quarantine", "quarantine/", ", outside)\n")  # what notes from outside are told by

FilePath = Annotated[str, Field(description="Path of the file, relative to the workspace.", min_length=1)]
Content = Annotated[str, Field(description="The whole content of the file.")]
Old = Annotated[str, Field(description="The exact text to replace, with its spaces and line ends.", min_length=1)]
New = Annotated[str, Field(description="What to put in its place.")]
Offset = Annotated[int, Field(description="Number of the first line to read; the first is 1.", ge=1)]
Limit = Annotated[int, Field(description="How many lines to read.", ge=1)]
Pattern = Annotated[str, Field(description="A Python regular expression, tried on each line.", min_length=1)]


class Proposing(Protocol):
    """Puts a change of a file before the owner."""

    async def propose(self, context: ToolContext, path: str, before: str | None, after: str) -> str:
        """Return words for the model on what was proposed. `path` is the file's real place below the workspace.

        Raises:
            ToolError: it cannot be proposed as it is.
        """
        ...


def create_file_tools(hosts: ToolHosts, proposing: Proposing | None = None) -> list[Tool]:
    """Return read_file, write_file, edit_file, glob and grep; without `proposing`, what is refused stays refused."""
    return [*_reading(hosts), _write_file(hosts, proposing), _edit_file(hosts, proposing)]


def note_strangers(context: ToolContext, *texts: str) -> None:
    """Mark an output as from outside where the call, or what came of it, names files that people have sent, or notes
    that are kept apart: those have it in their headings too.
    """  # noqa: D205  # one sentence
    if any(stranger in text for text in texts for stranger in (ATTACHMENTS, *_APART)):
        context.noted.add("outside")


def _reading(hosts: ToolHosts) -> list[Tool]:
    @reach(private=True)
    @tool(effect=Effect.PURE)
    async def read_file(
        path: FilePath, context: ToolContext, offset: Offset | None = None, limit: Limit | None = None
    ) -> str:
        """Read a text file. A long one is cut: the first line of the answer then says which lines it holds and how
        to go on. Without offset and limit, it starts at the top.
        """  # noqa: D205  # a model reads this, not a reference
        given = {"path": path, "offset": offset, "limit": limit}
        held = await hosts.call(context.session_id, "read_file", given, seconds=SECONDS, sandbox=context.sandbox)
        note_strangers(context, path, held)
        return held

    @reach(private=True)
    @tool(effect=Effect.PURE)
    async def glob(
        pattern: Annotated[str, Field(description="Such as 'notes/*.md' or '**/*.{py,toml}'.", min_length=1)],
        context: ToolContext,
    ) -> str:
        """List files and folders by name. '*' stands for any name, '**/' for folders at any depth; folders end
        with '/'. The answer is sorted; .git is left out.
        """  # noqa: D205  # as above
        return await hosts.call(
            context.session_id, "glob", {"pattern": pattern}, seconds=SECONDS, sandbox=context.sandbox
        )

    @reach(private=True)
    @tool(effect=Effect.PURE)
    async def grep(
        pattern: Pattern,
        context: ToolContext,
        path: Annotated[str, Field(description="A file, or a folder to search below; default: everything.")] = ".",
    ) -> str:
        """Search text files for lines that match a regular expression. Each match is 'path:line: text'."""
        found = await hosts.call(
            context.session_id, "grep", {"pattern": pattern, "path": path}, seconds=SECONDS, sandbox=context.sandbox
        )
        note_strangers(context, path, found)
        return found

    return [read_file, glob, grep]


def _write_file(hosts: ToolHosts, proposing: Proposing | None) -> Tool:
    async def written(path: FilePath, content: Content, context: ToolContext) -> str | None:
        given = {"path": path, "content": content}
        state = await hosts.call(context.session_id, "check_write", given, seconds=SECONDS, sandbox=context.sandbox)
        return f"Wrote {len(content):,} characters to {path}." if state == "done" else None

    @tool(effect=Effect.RECONCILE, check=written)
    async def write_file(path: FilePath, content: Content, context: ToolContext) -> str:
        """Write a text file, replacing what it held; missing folders are made. To change a part of a file, use
        edit_file. Jobs (crons/), skills/ and agents/ become a proposal, which the user must approve.
        """  # noqa: D205  # as above
        return await _do_or_propose(hosts, proposing, context, "write", {"path": path, "content": content})

    return write_file


def _edit_file(hosts: ToolHosts, proposing: Proposing | None) -> Tool:
    async def edited(path: FilePath, old: Old, new: New, context: ToolContext) -> str | None:
        given = {"path": path, "old": old, "new": new}
        state = await hosts.call(context.session_id, "check_edit", given, seconds=SECONDS, sandbox=context.sandbox)
        if state == "unknown":
            raise ToolError(f"whether {path!r} was edited cannot be told from what it holds")
        return f"Edited {path}." if state == "done" else None

    @tool(effect=Effect.RECONCILE, check=edited)
    async def edit_file(path: FilePath, old: Old, new: New, context: ToolContext) -> str:
        """Replace one passage of a text file. The old text must be in the file exactly once: add lines around it
        until it is.
        """  # noqa: D205  # as above
        return await _do_or_propose(hosts, proposing, context, "edit", {"path": path, "old": old, "new": new})

    return edit_file


async def _do_or_propose(
    hosts: ToolHosts, proposing: Proposing | None, context: ToolContext, deed: str, given: Mapping[str, Any]
) -> str:
    """Write or edit. Only what the tool process refused is drafted: the wall stands first, and the way around is last."""
    try:
        return await hosts.call(context.session_id, f"{deed}_file", given, seconds=SECONDS, sandbox=context.sandbox)
    except ToolError:
        if proposing is None:
            raise
        draft = await hosts.call(context.session_id, f"draft_{deed}", given, seconds=SECONDS, sandbox=context.sandbox)
        if not draft:
            raise
    told = json.loads(draft)
    return await proposing.propose(context, told["path"], told["before"], told["after"])
