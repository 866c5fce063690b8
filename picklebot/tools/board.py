"""The task board, as a model sees it: a list of work that all agents share.

Promises that a call that is made again after a crash changes nothing. Knows only the narrow seam below.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Literal, Protocol, TypeVar, assert_never

from pydantic import Field

from picklebot.clock import Clock
from picklebot.core.board import BoardEntry, EntryState, Hand
from picklebot.errors import NotFound, Taken, ToolError
from picklebot.tools.base import Effect, Tool, ToolContext
from picklebot.tools.function import tool

T = TypeVar("T")

SHOWN = 50  #: entries in one list
_WORDS = 300  # characters of details and result in a list


class Board(Protocol):
    """What keeps the entries."""

    async def add(self, title: str, details: str, *, by: Hand, at: datetime) -> BoardEntry:
        """Put up an entry."""
        ...

    async def claim(self, entry_id: int | None, *, by: Hand, at: datetime) -> BoardEntry | None:
        """Take an entry, or the oldest open one. NotFound: there is no such one. Taken: somebody else has it."""
        ...

    async def finish(self, entry_id: int, result: str, *, by: Hand, at: datetime) -> BoardEntry:
        """Mark an entry as done. NotFound: there is no such one. Taken: it is not this session's."""
        ...

    async def entries(self, state: EntryState | None = None, *, limit: int) -> Sequence[BoardEntry]:
        """Return the newest entries, oldest first."""
        ...


def create_board_tool(board: Board, *, clock: Clock) -> Tool:
    """Return task_board."""

    # Keyed: the board knows each call by its key, and a finished entry by the session that finished it.
    @tool(effect=Effect.KEYED)
    async def task_board(  # noqa: PLR0913, PLR0917  (a model sees them as the fields of one input)
        action: Literal["add", "claim", "finish", "list"],
        context: ToolContext,
        title: Annotated[str | None, Field(description="add: what is to be done, in a line.")] = None,
        details: Annotated[str | None, Field(description="add: whatever who does it must know.")] = None,
        id: Annotated[  # noqa: A002  (the name that a model sees)
            int | None, Field(description="claim, finish: which entry; claim without it: the oldest.")
        ] = None,
        result: Annotated[str | None, Field(description="finish: what came of it.")] = None,
        state: Annotated[EntryState | None, Field(description="list: only these.")] = None,
    ) -> str:
        """Share work with all agents on a common board: add entries, claim one, finish it with its result, list them.

        An entry is claimed by one at a time. Finish what you claim before you answer: a claim ends with your answer.
        """
        hand = Hand(
            agent_id=context.agent_id,
            session_id=context.session_id,
            turn_id=context.cause_id,
            key=context.key,
            outside="outside" in context.marks,
        )

        def shown(entry: BoardEntry) -> str:
            if entry.outside:
                context.noted.add("outside")
            return _shown(entry)

        try:
            match action:
                case "add":
                    words = _needed(title, "add", "title").strip()
                    return shown(await board.add(words, details or "", by=hand, at=clock.now()))
                case "claim":
                    entry = await board.claim(id, by=hand, at=clock.now())
                    return "Nothing is open." if entry is None else shown(entry)
                case "finish":
                    entry_id, words = _needed(id, "finish", "id"), _needed(result, "finish", "result")
                    return shown(await board.finish(entry_id, words, by=hand, at=clock.now()))
                case "list":
                    entries = await board.entries(state, limit=SHOWN)
                    if any(entry.outside for entry in entries):
                        context.noted.add("outside")
                    return "\n".join(map(_line, entries)) or "The board is empty."
                case _:
                    assert_never(action)
        except (NotFound, Taken) as exc:
            raise ToolError(str(exc)) from exc

    return task_board


def _needed(value: T | None, action: str, name: str) -> T:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise ToolError(f"{action} needs {name!r}")
    return value


def _shown(entry: BoardEntry) -> str:
    fields = {name: value for name, value in asdict(entry).items() if value not in (None, "", False)}
    return json.dumps(fields, ensure_ascii=False)


def _line(entry: BoardEntry) -> str:
    short = asdict(entry) | {"details": entry.details[:_WORDS], "result": entry.result and entry.result[:_WORDS]}
    return json.dumps(
        {name: value for name, value in short.items() if value not in (None, "", False)}, ensure_ascii=False
    )
