"""The memory tool that Anthropic's models were taught: six commands on files below `/memories`.

Promises the input of their `memory_20250818`, as an ordinary tool, so that every model can use it, and that a call
which a crash cut short is not carried out twice. Knows only the narrow seam below.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from picklebot.clock import Clock
from picklebot.errors import NotFound, ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.schema import validate

NAME = "memory"
Kind = Literal["view", "create", "str_replace", "insert", "delete", "rename"]
_NEEDS: Mapping[Kind, tuple[str, ...]] = {
    "view": ("path",),
    "create": ("path", "file_text"),
    "str_replace": ("path", "old_str", "new_str"),
    "insert": ("path", "insert_line", "insert_text"),
    "delete": ("path",),
    "rename": ("old_path", "new_path"),
}
_ROOT = "/memories"
QUARANTINE = "quarantine"  #: the folder of what came from outside
_DESCRIPTION = """\
Look at and change the files of memory, below /memories: topics/*.md, projects/*.md, daily-notes/YYYY-MM-DD.md.
view shows a folder, or a file with its line numbers; create makes a file; str_replace changes the one place that says
old_str; insert puts a text after a line; delete and rename do so. To remember one fact, save_memory is shorter."""


def _text(description: str) -> dict[str, str]:
    return {"type": "string", "description": description}


_SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "command": {"type": "string", "enum": list(_NEEDS)},
        "path": _text("Such as /memories/topics/tea.md; for all but rename."),
        "view_range": {
            "type": "array",
            "items": {"type": "integer"},
            "minItems": 2,
            "maxItems": 2,
            "description": "For view: the first and the last line; -1 is the end.",
        },
        "file_text": _text("For create."),
        "old_str": _text("For str_replace: a text that stands there exactly once."),
        "new_str": _text("For str_replace."),
        "insert_line": {"type": "integer", "description": "For insert: the line after which; 0 is the beginning."},
        "insert_text": _text("For insert."),
        "old_path": _text("For rename."),
        "new_path": _text("For rename."),
    },
    "required": ["command"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command, with what it needs."""

    command: Kind
    path: str = ""
    view_range: Sequence[int] = ()
    file_text: str = ""
    old_str: str = ""
    new_str: str = ""
    insert_line: int = 0
    insert_text: str = ""
    old_path: str = ""
    new_path: str = ""

    @property
    def place(self) -> str:
        """The file or the folder that is meant, below the folder of notes."""
        return _below(self.old_path if self.command == "rename" else self.path)

    @property
    def target(self) -> str:
        """Where a rename leads."""
        return _below(self.new_path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Who changes a note, in whose turn, and whether that turn has read what came from outside."""

    at: datetime
    origin: str
    by: str
    outside: bool = False


class Files(Protocol):
    """Files of notes that can be looked at and changed."""

    async def carry_out(self, command: Command, author: Author) -> str:
        """Do what is said; return what to tell the model. ValueError, NotFound: why it cannot be, in words for it."""
        ...

    async def carried_out(self, command: Command) -> str | None:
        """Return what to tell of a command that was carried out already; None if it was not."""
        ...


def create_memory_command_tool(files: Files, *, clock: Clock) -> Tool:
    """Return the tool `memory`."""

    async def run(context: ToolContext, given: Mapping[str, Any]) -> str:
        outside = "outside" in context.marks
        author = Author(at=clock.now(), origin=str(context.source), by=context.agent_id, outside=outside)
        try:
            command = _command(given)
            if command.place.startswith(QUARANTINE):
                context.noted.add("outside")
            return await files.carry_out(command, author)
        except (ValueError, NotFound) as exc:
            raise ToolError(str(exc)) from exc
        except OSError as exc:
            raise ToolError(f"the memory cannot be used: {exc.strerror}") from exc

    async def look(context: ToolContext, given: Mapping[str, Any]) -> str | None:
        return await files.carried_out(_command(given))

    return Tool(
        name=NAME,
        description=_DESCRIPTION,
        input_schema=_SCHEMA,
        run=run,
        effect=Effect.RECONCILE,
        check=look,
        private=True,
    )


def _command(given: Mapping[str, Any]) -> Command:
    validate(_SCHEMA, given)
    lacking = [name for name in _NEEDS[given["command"]] if name not in given]
    if lacking:
        raise ToolError(f"{given['command']} needs {' and '.join(lacking)}")
    if len(given.get("view_range", (1, 1))) != 2:
        raise ToolError("view_range is the first and the last line, such as [1, 20]")
    for path in (given.get("path"), given.get("old_path"), given.get("new_path")):
        if path is not None and path != _ROOT and not path.startswith(f"{_ROOT}/"):
            raise ToolError(f"Path must start with {_ROOT}, got: {path}")
    return Command(**given)


def _below(path: str) -> str:
    return path.removeprefix(_ROOT).strip("/")
