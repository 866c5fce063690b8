"""`picklebot memory`: the notes, searched and listed, and what agents changed of them.

Works beside a running daemon and without one: the files are the truth, and the index is made of them. Knows no tool.
"""

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

from picklebot.cli.calling import FAILED, OK
from picklebot.cli.output import counted, local, many_lines, one_line, print_json, print_table, remark, say
from picklebot.clock import SystemClock, zone_named
from picklebot.config import Config
from picklebot.core.text import shorten
from picklebot.errors import ModelError, NotFound, PicklebotError
from picklebot.memory.base import Note
from picklebot.memory.memories import Memories
from picklebot.wiring.memory import memories_of

Result = TypeVar("Result")
_LINES = 6  # of a note, in a list of them


def search(*, config: Config, query: str, limit: int, as_json: bool) -> int:
    """Print the notes that fit; what could not be searched goes to stderr."""
    found = _with(config, lambda memories: memories.search(query, limit))
    if as_json:
        print_json({"notes": [_shape(note) for note in found.notes], "problems": list(found.problems)})
    for problem in found.problems:
        remark(f"{problem[0].upper()}{problem[1:]}.")
    if not as_json:
        for note in found.notes:
            _print(note, config)
        if not found.notes:
            remark("Nothing was found.")
    return OK if found.notes or not found.problems else FAILED


def list_all(*, config: Config, as_json: bool) -> int:
    """Print the files."""
    files = _with(config, lambda memories: memories.files())
    zone = zone_named(config.timezone)
    if as_json:
        shapes = [{"path": path, "bytes": size, "changed": at.isoformat()} for path, size, at in files]
        print_json({"files": shapes})
    elif files:
        print_table(("PATH", "BYTES", "CHANGED"), [(path, f"{size:,}", local(at, zone)) for path, size, at in files])
    else:
        remark(f"There are no notes in {config.workspace.memories}.")
    return OK


def reindex(*, config: Config, as_json: bool) -> int:
    """Make the index anew, and say how large it is."""

    async def again(memories: Memories) -> tuple[int, int, float, str]:
        clock = SystemClock()
        began = clock.monotonic()
        await memories.reindex()
        problem = ""
        try:
            await memories.learn()
        except ModelError as exc:
            problem = str(exc)
        return *await memories.size(), clock.monotonic() - began, problem

    files, notes, seconds, problem = _with(config, again)
    if as_json:
        print_json({"files": files, "notes": notes, "seconds": round(seconds, 3), "problem": problem or None})
    else:
        say(f"Indexed {counted(notes, 'note')} of {counted(files, 'file')} in {seconds:.1f} s.")
        if problem:
            remark(f"They cannot be found by meaning yet: {problem}.")
    return FAILED if problem else OK


def history(*, config: Config, path: str, as_json: bool) -> int:
    """Print the versions of a file."""
    memories = memories_of(config, SystemClock())
    versions = memories.versions.of(_below(path))
    if as_json:
        shapes = [{"name": v.name, "at": v.at.isoformat(), "change": v.change, "by": v.by} for v in versions]
        print_json({"versions": shapes})
    elif versions:
        zone = zone_named(config.timezone)
        rows = [(v.name, local(v.at, zone), v.change, v.by or "you") for v in versions]
        print_table(("VERSION", "UNTIL", "CHANGE", "BY"), rows)
    else:
        remark(f"No agent has changed {path}.")
    return OK


def revert(*, config: Config, path: str, version: str | None) -> int:
    """Let a file be what it was."""
    below = _below(path)

    async def back(memories: Memories) -> str:
        versions = memories.versions.of(below)
        if not versions:
            raise NotFound(f"no agent has changed {path!r}: there is nothing to go back to")
        name = version or versions[-1].name
        await memories.revert(below, name)
        return name

    name = _with(config, back)
    say(f"{below} is again what it was in {name}.")
    return OK


def accept(*, config: Config, path: str) -> int:
    """Take a file out of quarantine."""
    new = _with(config, lambda memories: memories.accept(_below(path)))
    say(f"Its notes are in {new} now.")
    return OK


def _with(config: Config, body: Callable[[Memories], Awaitable[Result]]) -> Result:
    config.workspace.prepare()

    async def opened() -> Result:
        memories = memories_of(config, SystemClock())
        try:
            return await body(memories)
        except sqlite3.Error as exc:
            raise PicklebotError(f"the index of the notes cannot be used: {exc}") from exc
        except ValueError as exc:
            raise PicklebotError(str(exc)) from exc
        finally:
            await memories.close()

    return asyncio.run(opened())


def _print(note: Note, config: Config) -> None:
    zone = zone_named(config.timezone)
    by = f" by {note.by}" if note.by else ""
    facts = [local(note.at, zone)] if note.at else []
    facts += [f"from {note.origin}{by}"] if note.origin else []
    facts += ["from outside"] if note.outside else []
    say(one_line(f"{note.path}:{note.line}{''.join(f'  {fact}' for fact in facts)}"))
    lines = [line for line in note.content.split("\n") if line.strip()]
    for line in lines[:_LINES]:
        say(f"    {many_lines(shorten(line, 200))}")
    if len(lines) > _LINES:
        say(f"    … {counted(len(lines) - _LINES, 'more line')}")


def _shape(note: Note) -> dict[str, Any]:
    return {
        "path": note.path,
        "line": note.line,
        "at": note.at.isoformat() if note.at else None,
        "origin": note.origin,
        "by": note.by,
        "outside": note.outside,
        "score": round(note.score, 5),
        "why": dict(note.why),
        "words": list(note.words),
        "content": note.content,
    }


def _below(path: str) -> str:
    return path.removeprefix("/").removeprefix("memories/")
